import pytest

from nightjar.report import formatting


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (formatting.figure(0.68349), "0.683"),
        (formatting.figure(12345.6, digits=1), "12,345.6"),
        (formatting.figure(0.0), "0.000"),
        (formatting.figure(-0.000234), "-0.00023"),
        (formatting.heading("log_loss"), "Log loss"),
        (formatting.heading("expected_calibration_error"), "Calibration error"),
        (formatting.heading("r2"), "R²"),
        (formatting.whole(12345), "12,345"),
        (formatting.percent(0.1234), "12.3%"),
        (formatting.percent(0.00001), "< 0.1%"),
        (formatting.percent(0.99999), "> 99.9%"),
        (formatting.percent(0.0), "0.0%"),
        (formatting.percent(1.0), "100.0%"),
        (formatting.p_value(0.0004), "< 0.001"),
        (formatting.p_value(0.0449), "0.045"),
        (formatting.interval(0.66, 0.7), "0.660 to 0.700"),
        (formatting.seconds(4.24), "4.2 s"),
        (formatting.seconds(59.97), "1 min 00 s"),
        (formatting.seconds(3_900), "1 h 05 min"),
        (formatting.compact(-0.0), "0"),
        (formatting.compact(0.125), "0.125"),
        (formatting.compact(12_500), "12,500"),
        (formatting.count_noun(0, "row"), "no rows"),
        (formatting.count_noun(1, "row"), "1 row"),
        (formatting.count_noun(1_200, "row"), "1,200 rows"),
    ],
)
def test_numbers_as_people_read_them(said, words):
    assert said == words


@pytest.mark.parametrize("value", [None, float("nan")])
def test_no_number_is_a_dash_with_its_reason(value):
    for form in (formatting.figure, formatting.whole, formatting.percent):
        dash = form(value, "why <")
        assert 'title="why &lt;"' in dash
        assert dash.striptags() == "–"


def test_dates_do_not_break_and_text_is_escaped():
    assert formatting.dates("on 2013-10-03 <b>") == 'on <span class="nowrap">2013-10-03</span> &lt;b&gt;'
