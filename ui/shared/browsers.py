"""Which browsers the app is made for, and what a person with an older one reads instead of a white page. No streamlit here."""

BROWSERS = {"Chrome": 112, "Edge": 112, "Firefox": 116, "Safari": 17}
"""What Streamlit itself needs, for it writes its regular expressions with the flag `v`. Our own files ask for nothing newer."""
NAMES = ", ".join(f"{name} {version}" for name, version in BROWSERS.items()) + " or newer"
STREAMLIT_NEEDS = 'new RegExp("", "v")'
SAVED_PAGE_NEEDS = 'if (!HTMLScriptElement.supports("importmap")) throw 0'

_STYLE = "font: 1.1rem/1.5 system-ui, sans-serif; max-width: 36em; margin: 3rem auto; padding: 0 1rem"


def old_browser(needs: str) -> str:
    """A script for the end of a page's body. It tries what the page needs, in words that any browser understands."""
    words = f"This browser is too old for MAML Lab. It works in {NAMES}."
    return f"""<script>
      try {{
        {needs};
      }} catch (error) {{
        document.title = "MAML Lab";
        document.body.innerHTML = '<p role="alert" style="{_STYLE}">{words}</p>';
      }}
    </script>"""


NO_SCRIPT = (
    f'<noscript><p style="{_STYLE}">MAML Lab needs JavaScript, which is switched off here. It works in {NAMES}.</p></noscript>'
)
