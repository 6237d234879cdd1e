//! Pickles made by hand: how names can be hidden, and what a hostile one can't do.

use std::io::Cursor;

use super::*;

fn told(bytes: &[u8]) -> Told {
    tell(Cursor::new(bytes), "pkl").unwrap()
}

fn dangers(bytes: &[u8]) -> Vec<String> {
    let remarks = told(bytes).remarks.into_iter();
    let dangerous = remarks.filter_map(|remark| match remark {
        Remark::Dangerous(imports) => Some(imports),
        _ => None,
    });
    dangerous.flatten().collect()
}

fn text(text: &str) -> Vec<u8> {
    [&[0x8c, u8::try_from(text.len()).unwrap()], text.as_bytes()].concat()
}

#[test]
fn every_way_to_import_is_seen() {
    let by_stack = [&b"\x80\x04"[..], &text("posix"), &text("system"), b"\x93."].concat();
    // The names are remembered, and put together later.
    let by_memo = [
        &b"\x80\x04"[..],
        &text("posix"),
        b"\x940",
        &text("system"),
        b"\x940h\x00h\x01\x93.",
    ];
    for pickle in [
        &b"cposix\nsystem\n(S'id'\ntR."[..],
        b"\x80\x02cposix\nsystem\nq\x00X\x02\x00\x00\x00idq\x01\x85q\x02Rq\x03.",
        b"(S'id'\niposix\nsystem\n.",
        b"(cposix\nsystem\nS'id'\no.",
        &by_stack,
        &by_memo.concat(),
    ] {
        assert_eq!(dangers(pickle), ["posix.system"], "{pickle:?}");
    }
}

#[test]
fn what_comes_before_the_break_is_told() {
    let told = told(b"cposix\nsystem\n(S'id'\ntR\xff");
    assert_eq!(told.remarks.len(), 2, "{:?}", told.remarks);
    assert!(matches!(&told.remarks[0], Remark::Dangerous(names) if names == &["posix.system"]));
    assert!(matches!(&told.remarks[1], Remark::Partly(reason) if reason.contains("0xff")));
}

#[test]
fn a_name_that_is_not_told_is_told_so() {
    // A name longer than is followed, and one that nothing remembers.
    let long = [
        &b"\x80\x04"[..],
        &text("posix"),
        b"X\x00\x10\x00\x00",
        &[b'x'; 4096],
        b"\x93.",
    ];
    for pickle in [
        &long.concat()[..],
        b"\x80\x04h\x05h\x06\x93.",
        b"\x80\x02\x82\x01.",
    ] {
        let remarks = told(pickle).remarks;
        assert!(
            matches!(&remarks[..], [Remark::Partly(reason)] if reason.contains("not told")),
            "{remarks:?}"
        );
    }
}

#[test]
fn nothing_hides_behind_an_array_that_is_none() {
    // A stand-in for an array of bytes behind it, which `joblib.load` passes over and
    // `pickle.load` runs.
    let stand_in = [
        &b"\x80\x04cjoblib.numpy_pickle\nNumpyArrayWrapper\n)\x81}("[..],
        &text("shape"),
        b"K\x10\x85",
        &text("dtype"),
        b"cnumpy\ndtype\n",
        &text("u1"),
        b"\x85Rub",
    ]
    .concat();
    let hidden = b"cposix\nsystem\n0.";
    assert_eq!(hidden.len(), 16);
    let pickle = [&stand_in[..], hidden, b"."].concat();
    assert_eq!(dangers(&pickle), ["posix.system"]);
    let behind = [&stand_in[..], &[0xff; 16], b"cnt\nsystem\n0."].concat();
    assert_eq!(dangers(&behind), ["nt.system"]);
    assert_eq!(told(&behind).format, "joblib");
}

#[test]
fn a_hostile_pickle_makes_nothing_large() {
    let deep = [&b"\x80\x04)"[..], &[0x85; 1_000_000], b"."].concat();
    assert!(told(&deep).remarks.is_empty());
    let high = vec![b'('; (1 << 20) + 10];
    let long = b"\x80\x04\x8d\xff\xff\xff\xff\xff\xff\xff\x7f.";
    let longer = b"\x80\x04\x8e\xff\xff\xff\xff\xff\xff\xff\xff.";
    let empty = b"\x80\x040.";
    for pickle in [&high[..], long, longer, empty, b"\x80\x04", b"\x80\x04t."] {
        let remarks = told(pickle).remarks;
        assert!(matches!(&remarks[..], [Remark::Partly(_)]), "{remarks:?}");
    }
}

proptest::proptest! {
    #[test]
    fn no_bytes_make_it_panic(garbage: Vec<u8>) {
        let _ = told(&[&b"\x80\x04"[..], &garbage].concat());
    }
}
