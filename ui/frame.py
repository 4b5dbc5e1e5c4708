"""The frame around every page: title, navigation, the house style."""

from pathlib import Path

import streamlit as st

ROOT = Path(__file__).parent.parent

st.set_page_config(page_title="MAML Lab", page_icon="📈", layout="wide")
st.html(ROOT / "ui" / "style.css")
PAGES = [
    st.Page(ROOT / "pages" / "lab.py", title="Lab", default=True),
    st.Page(ROOT / "pages" / "train.py", title="Train"),
]
st.navigation(PAGES, position="top").run()
