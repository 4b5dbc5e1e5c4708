"""A browser that cannot show a page says so, and which ones can."""

from playwright.sync_api import expect

from ui.shared import browsers

NO_FLAG_V = """window.RegExp = new Proxy(RegExp, { construct(target, given) {
  if (String(given[1]).includes("v")) throw new SyntaxError("Invalid flags");
  return Reflect.construct(target, given);
}, apply: (target, self, given) => new window.RegExp(...given) })"""
NO_IMPORT_MAPS = "HTMLScriptElement.supports = (kind) => kind !== 'importmap'"


def test_a_page_says_which_browsers_work(page, server):
    page.add_init_script(NO_FLAG_V)
    page.goto(f"{server}/lab")
    expect(page.get_by_role("alert")).to_have_text(f"This browser is too old for MAML Lab. It works in {browsers.NAMES}.")
    page.wait_for_timeout(1500)  # until Streamlit has started, and failed
    expect(page.get_by_role("alert")).to_be_visible()


def test_a_saved_page_does_too(page, server, tmp_path):
    saved = page.request.get(f"{server}/lab/picture.html").text()
    (tmp_path / "picture.html").write_text(saved, encoding="utf-8")
    page.goto(f"file://{tmp_path}/picture.html")
    expect(page.locator(".task-chart .curve").first).to_be_visible()
    page.add_init_script(NO_IMPORT_MAPS)
    page.reload()
    expect(page.get_by_role("alert")).to_contain_text(browsers.NAMES)
    expect(page.locator("svg.task")).to_have_count(0)
