import pytest

from nightjar.report import wording


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (wording.figure(0.68349), "0.683"),
        (wording.figure(12345.6, digits=1), "12,345.6"),
        (wording.figure(0.0), "0.000"),
        (wording.figure(-0.000234), "-0.00023"),
        (wording.heading("log_loss"), "Log loss"),
        (wording.heading("expected_calibration_error"), "Calibration error"),
        (wording.heading("r2"), "R²"),
        (wording.whole(12345), "12,345"),
        (wording.percent(0.1234), "12.3%"),
        (wording.percent(0.00001), "< 0.1%"),
        (wording.percent(0.99999), "> 99.9%"),
        (wording.percent(0.0), "0.0%"),
        (wording.percent(1.0), "100.0%"),
        (wording.p_value(0.0004), "< 0.001"),
        (wording.p_value(0.0449), "0.045"),
        (wording.interval(0.66, 0.7), "0.660 to 0.700"),
        (wording.seconds(4.24), "4.2 s"),
        (wording.seconds(59.97), "1 min 00 s"),
        (wording.seconds(3_900), "1 h 05 min"),
        (wording.compact(-0.0), "0"),
        (wording.compact(0.125), "0.125"),
        (wording.compact(12_500), "12,500"),
        (wording.count_noun(0, "row"), "no rows"),
        (wording.count_noun(1, "row"), "1 row"),
        (wording.count_noun(1_200, "row"), "1,200 rows"),
    ],
)
def test_numbers_as_people_read_them(said, words):
    assert said == words


@pytest.mark.parametrize("value", [None, float("nan")])
def test_no_number_is_a_dash_with_its_reason(value):
    for said in (wording.figure(value, "why <"), wording.whole(value, "why <"), wording.percent(value, "why <")):
        assert 'title="why &lt;"' in said
        assert said.striptags() == "–"


def test_dates_do_not_break_and_text_is_escaped():
    assert wording.dates("on 2013-10-03 <b>") == 'on <span class="nowrap">2013-10-03</span> &lt;b&gt;'
