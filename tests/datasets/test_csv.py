from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui_nn_datasets import DataError, Dataset, load, read_inputs
from tui_nn_datasets.tables import read_csv


@pytest.fixture
def table(tmp_path: Path):
    def write(content: str | bytes, **options: str) -> Dataset:
        path = tmp_path / "table.csv"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return load("csv", path=str(path), **options)

    return write


def test_the_last_column_is_the_target_and_text_makes_classes(table):
    data = table("height,weight,kind\n1,2.5,dog\n3,-4e2,cat\n5,6,dog\n")
    assert data.name == "table.csv"
    assert data.task == "classification"
    assert data.input_names == ("height", "weight")
    assert data.target_names == ("cat", "dog")
    assert data.x.tolist() == [[1, 2.5], [3, -400], [5, 6]]
    assert data.y.tolist() == [1, 0, 1]
    assert (data.x.dtype, data.y.dtype) == (np.float64, np.int64)


def test_another_target_may_be_named(table):
    data = table("price,rooms,size\n10.5,1,20\n30.25,2,50\n", target="price")
    assert data.input_names == ("rooms", "size")
    assert data.target_names == ("price",)
    assert data.task == "regression"
    assert data.y.tolist() == [[10.5], [30.25]]


def test_text_among_the_inputs_is_one_hot(table):
    data = table("city,size,door\nWien,2,red\nGraz,3,blue\nWien,5,red\n")
    assert data.input_names == ("city=Graz", "city=Wien", "size")
    assert data.x.tolist() == [[0, 1, 2], [1, 0, 3], [0, 1, 5]]
    assert data.x.dtype == np.float64
    assert data.description == "door from 2 columns"


def test_the_inputs_may_be_named_in_any_order(table):
    content = "id,a,b,y\nx1,1,2,3.5\nx2,4,5,6.5\n"
    data = table(content, columns="b, a")
    assert (data.input_names, data.x.tolist()) == (("b", "a"), [[2, 1], [5, 4]])
    assert table(content, columns="id").input_names == ("id=x1", "id=x2")
    assert table('"a, b",y\n1,2.5\n', columns="a, b").input_names == ("a, b",)


def test_the_inputs_of_another_table_are_found_by_their_names(table, tmp_path):
    data = table("a,a=b,n,y\nx=1,p,2,3.5\ny,q,3,4.5\n")
    assert data.input_names == ("a=x=1", "a=y", "a=b=p", "a=b=q", "n")
    other = tmp_path / "other.csv"
    other.write_text("n;more;a=b;a\n7;?;q;x=1\n8;;p;y\n")
    assert read_inputs(other, data.input_names).tolist() == [[1, 0, 0, 1, 7], [0, 1, 1, 0, 8]]


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_delimiters_line_ends_and_the_byte_order_mark(table, delimiter, end, mark):
    rows = [("a", "b", "y"), ("1", " 2 ", '"3.5"'), ("", "", ""), ("4", "5", "6.5")]
    data = table(mark + end.join(delimiter.join(row) for row in rows))
    assert data.input_names == ("a", "b")
    assert data.x.tolist() == [[1, 2], [4, 5]]
    assert data.y.tolist() == [[3.5], [6.5]]


def column(values) -> str:
    return "x,y\n" + "".join(f"0,{value}\n" for value in values)


@pytest.mark.parametrize(
    ("values", "options", "task", "names"),
    [
        ([3, 1, 10, 1, 1, 3], {}, "classification", ("1", "3", "10")),
        ([1.0, 0.0, 0.0, 1.0], {}, "classification", ("0", "1")),
        ([*range(20)] * 2, {}, "classification", tuple(map(str, range(20)))),
        ([*range(20)] * 2 + [20] * 2, {}, "regression", ("y",)),
        (range(20), {}, "regression", ("y",)),
        (range(21), {"task": "classification"}, "classification", tuple(map(str, range(21)))),
        ([0, 1], {"task": "regression"}, "regression", ("y",)),
        ([0.5, 1], {}, "regression", ("y",)),
        ([1e300, 1], {}, "regression", ("y",)),
        (["1", "b"], {"task": "classification"}, "classification", ("1", "b")),
        (["none", "mild"], {}, "classification", ("mild", "none")),
    ],
)
def test_the_task_is_told_from_the_target_unless_it_is_said(table, values, options, task, names):
    data = table(column(values), **options)
    assert (data.task, data.target_names) == (task, names)


def test_whole_numbers_become_classes_in_the_order_of_their_size(table):
    assert table(column([10, 3, 1, 10, 1, 3])).y.tolist() == [2, 1, 0, 2, 0, 1]


@pytest.mark.parametrize(
    ("content", "options", "message"),
    [
        ("", {}, "empty; a header"),
        ("\n\n", {}, "empty; a header"),
        ("a,b\n", {}, "a header but no rows"),
        ("1,2\n3,4\n", {}, "no header"),
        ("a\n1\n", {}, "one column only"),
        ("a,,y\n1,2,3\n", {}, "column 2 has no name"),
        ("a,a,y\n1,2,3\n", {}, "two columns named 'a'"),
        ("a,b\n1,2\n1,2,3\n", {}, "line 3: the header has 2 cells, parted by ','; this row has 3"),
        ("a,b\n1,2\n\n1\n", {}, "line 4: the header has 2 cells, .* this row has 1"),
        ("a,b\n1,2.5\nred,2\n", {}, "line 3, column 'a': 'red' is not a finite number"),
        ("a,b\n1,2.5\n1_0,2\n", {}, "line 3, column 'a': '1_0' is not a finite number"),
        ("a,b\n1,2.5\ninf,2\n", {}, "line 3, column 'a': 'inf' is not a finite number"),
        ("a,b\n1,2.5\n,2\n", {}, "line 3, column 'a': missing value"),
        ("a,b\n1,2.5\nNaN,2\n", {}, "line 3, column 'a': missing value"),
        ("a;b\n1;2.5\n1,5;2\n", {}, "line 3, column 'a': '1,5' has a decimal comma"),
        ("a,b\n1,2.5\n1,\n", {}, "line 3, column 'b': missing value"),
        ("a,b\n1,yes\n1,\n", {}, "line 3, column 'b': missing value"),
        ("a,b\n1,2.5\n1,x\n", {}, "line 3, column 'b': 'x' is not a finite number"),
        ("a,b\n1,x\n1,y\n", {"task": "regression"}, "line 2, column 'b': 'x' is not"),
        ("a,b\n1,2.5\n1,1\n", {"task": "classification"}, "column 'b' holds fractions"),
        ("a,b\n1,x\n1,x\n", {}, r"column 'b' holds 1\)"),
        ("a,b\n1,2\n1,2\n", {"target": "bb"}, r"no column 'bb' .*did you mean 'b'.*a, b"),
        ("a,b\n1,2\n1,2\n", {"columns": "aa"}, r"no column 'aa' for the input .*'a'"),
        ("a,b\n1,2\n1,2\n", {"columns": "a,a"}, "the input 'a' is named twice"),
        ("a,b\n1,2\n1,2\n", {"columns": "a,b"}, "'b' is a target, so it can be no input"),
        ("a,b\ninf,2.5\ninf,2\n", {}, "line 2, column 'a': 'inf' is not a finite number"),
        ("a;b\n1,5;2\n2,5;3\n", {}, "line 2, column 'a': '1,5' has a decimal comma"),
        ("a,b\nx,2\n,3\n", {}, "line 3, column 'a': missing value"),
        pytest.param(
            "a,b,y\n" + "".join(f"name {i},{i},{i}.5\n" for i in range(51)),
            {},
            r"column 'a' holds 51 different texts; up to 50 .* leave it out \(columns = 'b'\)",
            id="names",
        ),
        ('a,b\n1,"2\n', {}, "not valid CSV"),
        (
            "a,b\n1,2\n",
            {"task": "guess"},
            "must be one of classification, multilabel, regr",
        ),
        pytest.param(
            column(f"name{i}" for i in range(1001)), {}, r"column 'y' holds 1001\)", id="too many"
        ),
        ('a,b\n1,"x\n2,y\n3,z\n', {}, "line 2: not valid CSV"),
        (b"a,b\n\xff\xfe,2\n", {}, "not text in UTF-8"),
    ],
)
def test_what_is_no_table_is_refused_with_the_place(table, content, options, message):
    with pytest.raises(DataError, match=message) as caught:
        table(content, **options)
    assert "csv" in str(caught.value)


def test_a_file_that_cannot_be_read_is_named(tmp_path):
    with pytest.raises(DataError, match=r"none\.csv: cannot be read \(No such file"):
        read_csv(tmp_path / "none.csv")
    with pytest.raises(DataError, match="cannot be read"):
        read_csv(tmp_path)
    with pytest.raises(DataError, match="cannot be read"):
        read_csv("a\0b")


CONTENT = st.one_of(
    st.binary(max_size=200),
    st.text('ab12,;\t\n\r"-. ', max_size=80).map(lambda text: f"a,b\n{text}".encode()),
)


@given(CONTENT)
def test_whatever_a_file_holds_it_is_read_or_refused(tmp_path_factory, content):
    path = tmp_path_factory.getbasetemp() / "any.csv"
    path.write_bytes(content)
    with suppress(DataError):
        assert len(read_csv(path).x) > 0
