//! What rows become, by what is registered.

use super::*;
use crate::ops::predict::error::Place;
use serde_json::{Value, json};

fn inputs(inputs: Value) -> Vec<Registered> {
    serde_json::from_value(inputs).unwrap()
}

fn head(names: &str) -> Vec<String> {
    names.split(',').map(str::to_owned).collect()
}

fn row(cells: Value) -> Row {
    let Cell::List(cells) = Cell::of_json(cells) else {
        panic!("rows are arrays here")
    };
    Row {
        place: Place::Row(1),
        cells,
    }
}

#[test]
fn columns_become_the_inputs_of_their_names() {
    let inputs = inputs(json!([
        {"name": "age", "datatype": "FP32", "shape": [-1]},
        {"name": "smokes", "datatype": "BOOL", "shape": [-1, 1]},
        {"name": "at", "datatype": "INT64", "shape": [-1, 2]},
        {"name": "list", "datatype": "INT64", "shape": [-1, 2, 2]},
    ]));
    let head = head("id,at.1,at.0,smokes,age,list");
    let columns = Columns::find("f", &head, &inputs, &["id=key".parse().unwrap()]).unwrap();
    assert_eq!(columns.read, [4, 3, 2, 1, 5, 0]);
    assert_eq!(columns.kept, [("key".to_owned(), 5)]);
    let row = row(json!([1.5, true, 1, 2, [[1, 2], [3, 4]], "a"]));
    let samples = columns.samples(&row, &inputs).unwrap();
    let request = columns.request(&[&samples, &samples], &inputs);
    let shapes: Vec<_> = request
        .inputs
        .iter()
        .map(|input| input.shape.clone())
        .collect();
    assert_eq!(shapes, [vec![2], vec![2, 1], vec![2, 2], vec![2, 2, 2]]);
    assert_eq!(
        request.inputs[2].elements,
        Elements::Int64(vec![1, 2, 1, 2])
    );
    assert_eq!(
        request.inputs[3].elements,
        Elements::Int64(vec![1, 2, 3, 4, 1, 2, 3, 4])
    );
}

#[test]
fn the_only_input_takes_all_columns_where_they_are_as_many() {
    let inputs = inputs(json!([{"name": "window", "datatype": "FP64", "shape": [-1, 1, 3]}]));
    let columns = Columns::find("f", &head("a,b,c"), &inputs, &[]).unwrap();
    let samples = columns.samples(&row(json!([1, 2, 3])), &inputs).unwrap();
    assert_eq!(samples[0].elements, Elements::Fp64(vec![1.0, 2.0, 3.0]));
    assert_eq!(samples[0].sizes, [1, 3]);
}

#[test]
fn what_makes_no_request_is_told() {
    let age = json!([{"name": "age", "datatype": "INT8", "shape": [-1]}]);
    let two = json!([{"name": "x", "datatype": "FP32", "shape": [-1, 2]},
                     {"name": "y", "datatype": "FP32", "shape": [-1]}]);
    let with = |shape: &[i64]| json!([{"name": "x", "datatype": "FP32", "shape": shape}]);
    let fixed = json!([{"name": "x", "datatype": "FP32", "shape": [2, 1]},
                       {"name": "y", "datatype": "FP32", "shape": [3, 1]}]);
    let told = [
        (&age, "agee,b", ""),
        (&age, "a\u{7}ge,b", ""),
        (&age, "age,age", ""),
        (&age, "age,b", "c"),
        (&age, "age,b", "b=x,age=x"),
        (&two, "x.0,z", ""),
        (&with(&[2]), "x", ""),
        (&with(&[-1, -1]), "x", ""),
        (&with(&[]), "x", ""),
        (&fixed, "x,y", ""),
        (&json!([]), "x", ""),
    ]
    .map(|(registered, names, keep)| {
        let keep: Vec<Keep> = keep
            .split(',')
            .filter(|keep| !keep.is_empty())
            .map(|keep| keep.parse().unwrap())
            .collect();
        Columns::find("f.csv", &head(names), &inputs(registered.clone()), &keep)
            .unwrap_err()
            .to_string()
    });
    insta::assert_snapshot!(told.join("\n"), @r#"
    `f.csv` has no column `age`: its columns are `agee`, `b`
    `f.csv` has no column `age`: its columns are `a\u{7}ge`, `b`
    `f.csv` has several columns `age`
    `f.csv` has no column `c`: its columns are `age`, `b`
    the result would have two columns `x`
    `f.csv` has no column `x.1`, `y`: its columns are `x.0`, `z`
    input `x` has the shape [2], which rows don't make
    input `x` has the shape [-1, -1], which rows don't make
    input `x` has the shape [], which rows don't make
    the inputs take different numbers of rows at once: 2 and 3
    the version registers no inputs, so that columns have nothing to become
    "#);
}

#[test]
fn a_row_that_does_not_fit_is_told_with_its_column() {
    let inputs = inputs(json!([{"name": "x", "datatype": "INT8", "shape": [-1, 2]}]));
    let columns = Columns::find("f", &head("x"), &inputs, &[]).unwrap();
    let told = [
        json!([[1, 2, 3]]),
        json!([[1]]),
        json!([[1, 300]]),
        json!([null]),
    ]
    .map(|cells| {
        columns
            .samples(&row(cells), &inputs)
            .unwrap_err()
            .to_string()
    });
    insta::assert_snapshot!(told.join("\n"), @r#"
    row 1, column `x`: a list of 3, where a sample of input `x` has 2
    row 1, column `x`: a list of 1, where a sample of input `x` has 2
    row 1, column `x`: `300` is no INT8
    row 1, column `x`: it is empty, and has to be INT8
    "#);
}

#[test]
fn a_version_may_take_a_fixed_number_of_rows() {
    let inputs = inputs(json!([{"name": "x", "datatype": "INT8", "shape": [4, 2]},
                               {"name": "y", "datatype": "INT8", "shape": [-1]}]));
    let columns = Columns::find("f", &head("x.0,x.1,y"), &inputs, &[]).unwrap();
    assert_eq!(columns.most(100), 4);
}
