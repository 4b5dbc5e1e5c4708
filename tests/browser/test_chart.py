"""What every chart has from the one module that draws them: tried on the lab's, as a person meets them."""

import re

import pytest
from conftest import Lab
from playwright.sync_api import expect

HOVER = ".loss-chart .hoverlayer"


def point(lab: Lab, step: float) -> None:
    """Hold the pointer over the loss chart at a step."""
    x, _ = lab.page.locator(".loss-chart .plot").evaluate(
        """(plot, step) => {
          const { margin, width, xaxis } = plot.layout;
          return [margin.l + ((step - xaxis.range[0]) / (xaxis.range[1] - xaxis.range[0])) * (width - margin.l - margin.r), 0];
        }""",
        step,
    )
    box = lab.page.locator(".loss-chart").bounding_box()
    lab.page.mouse.move(box["x"] + x - 2, box["y"] + box["height"] / 2)
    lab.page.mouse.move(box["x"] + x, box["y"] + box["height"] / 2)


def test_values_stand_under_the_pointer_as_the_page_says_them(lab):
    point(lab, 1)
    expect(lab.page.locator(HOVER)).to_contain_text("step 1")
    expect(lab.page.locator(HOVER)).to_contain_text("MAML 0.18 · shots")
    expect(lab.page.locator(HOVER)).to_contain_text("pretrained 3.98")


def test_the_pointer_learns_nothing_that_is_not_on_show(lab):
    lab.open("?hide=names&step=1")
    point(lab, 1)
    expect(lab.page.locator(HOVER)).to_contain_text("A ")
    assert not re.search("MAML|pretrained", lab.page.locator(".loss-chart").inner_text())
    point(lab, 7)
    lab.page.wait_for_timeout(300)
    assert "step 7" not in lab.page.locator(HOVER).text_content()
    told = "plots => plots[0].data.filter(line => line.customdata).map(line => line.customdata.findLastIndex(Boolean))"
    shown = int(re.search(r"step (\d+) of", lab.step)[1])
    assert set(lab.page.locator(".loss-chart .plot").evaluate_all(told)) == {shown}, "what comes later is not passed on"


def test_a_press_still_goes_to_the_step(lab):
    point(lab, 6)
    lab.page.mouse.down()
    point(lab, 4)
    lab.page.mouse.up()
    expect(lab.page.locator(".count")).to_have_text("step 4 of 10")


def test_on_the_task_the_pointer_places_shots_and_nothing_else(lab):
    before = len(lab.shots)
    lab.page.mouse.move(*lab.pixel(1, 1))
    lab.page.wait_for_timeout(300)
    assert lab.page.locator(".task-chart .hoverlayer").text_content() == ""
    lab.click(1, 1)
    lab.settled()
    assert len(lab.shots) == before + 1
    assert lab.page.locator(".task-chart .tools").count() == 0


def test_lines_take_the_colours_of_the_theme_when_it_changes(lab):
    true = lambda: lab.page.locator(".task-chart [data-curve=true]").evaluate("line => getComputedStyle(line).stroke")  # noqa: E731
    assert true() == "rgb(0, 0, 0)" or true().startswith("rgb(2"), "black, or nearly"
    lab.page.emulate_media(color_scheme="dark")
    lab.page.wait_for_function("getComputedStyle(document.querySelector('.task-chart [data-curve=true]')).stroke > 'rgb(2'")
    assert lab.problems == []


@pytest.mark.parametrize("ending", ["PNG", "SVG"])
def test_a_chart_can_be_saved_alone(lab, tmp_path, ending):
    lab.page.locator(".loss-chart").hover()
    with lab.page.expect_download() as download:
        lab.page.locator(".loss-chart .tools").get_by_role("button", name=ending).click()
    assert download.value.suggested_filename == f"maml-lab-error.{ending.lower()}"
    download.value.save_as(tmp_path / "chart")
    content = (tmp_path / "chart").read_bytes()
    if ending == "PNG":
        assert content.startswith(b"\x89PNG")
        assert len(content) > 5000
    else:
        text = content.decode()
        assert text.count("<path") > 4
        assert ">pretrained</text>" in text
        assert "var(" not in text
    expect(lab.page.locator(".count")).to_have_text("step 1 of 10")


def test_shots_can_be_placed_before_plotly_has_come(visitor):
    """Everything but the axes is there, and they come when it does."""
    held = []
    visitor.page.route("**/plotly/*.js", lambda route: held.append(route))
    visitor.page.goto(f"{visitor.base}/lab?seed=3")
    expect(visitor.page.locator(".maml-lab h1")).to_contain_text("After 1 step", timeout=30_000)
    expect(visitor.page.locator(".shot")).to_have_count(5)
    box, words = visitor.plot.bounding_box(), visitor.page.locator("h1").inner_text()
    visitor.page.mouse.click(box["x"] + 300, box["y"] + 100)
    expect(visitor.page.locator(".shot")).to_have_count(6)
    visitor.settled()
    assert visitor.page.locator(".task-chart .curve").count() == 0
    expect(visitor.page.locator(".task-chart .sketch path")).to_have_count(5)
    assert words
    for route in held:
        route.continue_()
    expect(visitor.page.locator(".task-chart [data-curve=maml]")).to_be_attached(timeout=30_000)
    assert visitor.page.locator(".sketch").count() == 0
    assert visitor.plot.bounding_box() == box, "nothing has moved"
    assert visitor.problems == []


def test_where_plotly_does_not_come_the_page_says_so(visitor):
    visitor.page.route("**/plotly/*.js", lambda route: route.abort())
    visitor.page.goto(f"{visitor.base}/lab")
    expect(visitor.page.locator(".task-chart .missing")).to_contain_text("Reload the page to try again.", timeout=30_000)
    expect(visitor.page.locator(".cards, .panel-numbers").first).to_contain_text("MAML")
    assert all("ERR_FAILED" in said for said in visitor.problems)
    visitor.problems.clear()


def test_one_copy_is_fetched_for_all_pages(visitor):
    asked = []
    visitor.page.on(
        "request",
        lambda request: asked.append(request.url) if "plotly" in request.url.lower() and "/modules/" not in request.url else None,
    )
    visitor.open()
    for name in ("Explore", "Geometry", "Train", "Checkpoints", "Lessons"):
        visitor.page.get_by_role("link", name=name, exact=True).first.click()
        expect(visitor.page).to_have_url(re.compile(name.lower()), timeout=30_000)
        visitor.page.wait_for_timeout(700)
    assert len(set(asked)) == 1, asked


def test_a_chart_that_goes_while_it_is_drawn_goes_quietly(lab):
    """Plotly's own work on a drawing ends after `draw` returns; the page's errors fail the test."""
    left = lab.module(
        "chart/chart.js",
        """
        const { plotly } = await import(loaded.find((address) => address.endsWith("chart/plotly.js")));
        await plotly();
        const parent = document.querySelector(".maml-lab").appendChild(document.createElement("div"));
        const axis = { range: [0, 1], ticks: [[0, "0"], [1, "1"]] };
        const drawn = module.chart(parent, { kind: "loss" });
        await new Promise((done) => setTimeout(done, 50));
        drawn.lay({ x: axis, y: axis, sides: { left: 40, right: 40, top: 10, bottom: 30 } });
        drawn.draw({ x: axis, y: axis, lines: [{ id: "a", role: "maml", x: [0, 1], y: [0, 1] }] });
        const plot = drawn.node.querySelector(".plot");
        const was = Boolean(plot.data);
        drawn.remove();
        drawn.draw({ x: axis, y: axis });
        await new Promise((done) => setTimeout(done, 100));
        parent.remove();
        return [was, Boolean(plot.data)];
        """,
    )
    assert left == [True, False], "it was drawn, and Plotly keeps nothing of it"
