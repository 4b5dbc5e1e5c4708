"""The frame around every page: title, navigation, the house style."""

from pathlib import Path

import streamlit as st

ROOT = Path(__file__).parent.parent

st.set_page_config(page_title="MAML Lab", page_icon="📈", layout="wide")
st.html(ROOT / "ui" / "style.css")
st.navigation([st.Page(ROOT / "pages" / "lab.py", title="Lab", default=True)], position="top").run()
