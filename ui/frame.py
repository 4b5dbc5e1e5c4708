"""The frame around every page: title, navigation, the house style."""

from pathlib import Path

import streamlit as st

from ui.shared import viewer

FOLDER = Path(__file__).parent.parent / "pages"

with viewer.drawing():
    st.set_page_config(page_title="MAML Lab", page_icon="📈", layout="wide")
    st.html(Path(__file__).parent / "style.css")
    st.navigation(
        [
            st.Page(FOLDER / "start.py", title="Start", default=True),
            st.Page(FOLDER / "lessons.py", title="Lessons"),
            st.Page(FOLDER / "lab.py", title="Lab"),
            st.Page(FOLDER / "characters.py", title="Characters"),
            st.Page(FOLDER / "explore.py", title="Explore"),
            st.Page(FOLDER / "geometry.py", title="Geometry"),
            st.Page(FOLDER / "train.py", title="Train"),
            st.Page(FOLDER / "checkpoints.py", title="Checkpoints"),
            st.Page(FOLDER / "classroom.py", title="Classroom"),
        ],
        position="top",
    ).run()
