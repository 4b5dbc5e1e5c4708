"""What the pages share: the only code, with pages/ and app.py, that imports streamlit."""
