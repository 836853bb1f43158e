"""Rows of texts are lined up."""

from ringback.reports.columns import align


def test_columns_are_as_wide_as_their_widest_text() -> None:
    """Texts stand below each other, and nothing stands behind the last one."""
    assert align([("a", "long text", "x"), ("bcd", "", "y")], indent=2) == [
        "  a    long text  x",
        "  bcd             y",
    ]


def test_last_column_makes_no_row_wider() -> None:
    """Rows may have fewer columns than others; their last text widens no column."""
    assert align([("heading of all",), ("a", "b")]) == ["heading of all", "a  b"]


def test_no_rows() -> None:
    """Of nothing nothing is made."""
    assert align([]) == []
