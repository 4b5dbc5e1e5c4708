"""The frame around every page: title, navigation, the house style."""

from pathlib import Path

import streamlit as st

PAGES = Path(__file__).parent.parent / "pages"

st.set_page_config(page_title="MAML Lab", page_icon="📈", layout="wide")
st.html(Path(__file__).parent / "style.css")
st.navigation(
    [
        st.Page(PAGES / "start.py", title="Start", default=True),
        st.Page(PAGES / "lessons.py", title="Lessons"),
        st.Page(PAGES / "lab.py", title="Lab"),
        st.Page(PAGES / "explore.py", title="Explore"),
        st.Page(PAGES / "geometry.py", title="Geometry"),
        st.Page(PAGES / "train.py", title="Train"),
        st.Page(PAGES / "checkpoints.py", title="Checkpoints"),
        st.Page(PAGES / "classroom.py", title="Classroom"),
    ],
    position="top",
).run()
