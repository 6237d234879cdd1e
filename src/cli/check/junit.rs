//! JUnit's XML, which every CI shows as tests: a file is a suite, a diagnostic one of its cases.
//!
//! There is no standard; this is what Jenkins, GitLab and Azure all read:
//! <https://github.com/testmoapp/junitxml>.

use std::io;

use quick_xml::Writer;
use quick_xml::events::{BytesCData, BytesDecl, BytesText, Event};

use super::summary;
use crate::check::{Diagnostic, Severity};
use crate::cli::{Page, diagnostics};
use crate::ops::check_change::Checked;

pub(super) fn write(checked: &Checked) -> String {
    let mut writer = Writer::new_with_indent(Vec::new(), b' ', 2);
    // Writing to memory can't fail.
    let _ = document(&mut writer, checked);
    let mut text = String::from_utf8_lossy(&writer.into_inner()).into_owned();
    text.push('\n');
    text
}

fn document(writer: &mut Writer<Vec<u8>>, checked: &Checked) -> io::Result<()> {
    let report = &checked.report;
    writer.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
    let files = report
        .diagnostics
        .chunk_by(|one, next| one.path == next.path);
    let counts = |all: &[Diagnostic]| {
        let failures = all.iter().filter(|one| one.severity == Severity::Error);
        (all.len().max(1).to_string(), failures.count().to_string())
    };
    let (tests, failures) = counts(&report.diagnostics);
    writer
        .create_element("testsuites")
        .with_attribute(("name", "modelyard check"))
        .with_attribute(("tests", tests.as_str()))
        .with_attribute(("failures", failures.as_str()))
        .write_inner_content(|writer| {
            if report.diagnostics.is_empty() {
                // Who gets no case at all takes the report for lost.
                let records = summary(report);
                writer
                    .create_element("testsuite")
                    .with_attribute(("name", "modelyard check"))
                    .with_attribute(("tests", "1"))
                    .with_attribute(("failures", "0"))
                    .write_inner_content(|writer| {
                        let case = writer.create_element("testcase");
                        let case = case.with_attribute(("name", records.as_str()));
                        case.with_attribute(("classname", "modelyard"))
                            .write_empty()?;
                        Ok(())
                    })?;
            }
            for file in files {
                let (tests, failures) = counts(file);
                let path = legal(&file[0].path);
                writer
                    .create_element("testsuite")
                    .with_attribute(("name", path.as_str()))
                    .with_attribute(("tests", tests.as_str()))
                    .with_attribute(("failures", failures.as_str()))
                    .write_inner_content(|writer| {
                        file.iter().try_for_each(|one| case(writer, one))
                    })?;
            }
            Ok(())
        })?;
    Ok(())
}

fn case(writer: &mut Writer<Vec<u8>>, diagnostic: &Diagnostic) -> io::Result<()> {
    let (code, path) = (diagnostic.code.id, legal(&diagnostic.path));
    let line = diagnostic.place.as_ref().map(|place| place.start.line);
    let name = match line {
        Some(line) => format!("{code} (line {line})"),
        None => code.to_owned(),
    };
    let message = legal(&diagnostic.message);
    let mut page = Page::default();
    // Writing to a String can't fail.
    let _ = diagnostics::write(&mut page, diagnostic);
    let shown = anstream::adapter::strip_str(&page.into_text()).to_string();
    let mut case = writer
        .create_element("testcase")
        .with_attribute(("name", name.as_str()))
        .with_attribute(("classname", path.as_str()))
        .with_attribute(("file", path.as_str()));
    let line = line.map(|line| line.to_string());
    if let Some(line) = &line {
        case = case.with_attribute(("line", line.as_str()));
    }
    case.write_inner_content(|writer| {
        if diagnostic.severity == Severity::Error {
            writer
                .create_element("failure")
                .with_attribute(("type", code))
                .with_attribute(("message", message.as_str()))
                .write_text_content(BytesText::new(&shown))?;
        } else {
            writer
                .create_element("system-out")
                .write_cdata_content(BytesCData::new(shown.replace("]]>", "]] >")))?;
        }
        Ok(())
    })?;
    Ok(())
}

/// Without the characters that XML 1.0 has no way to write.
fn legal(text: &str) -> String {
    let is_illegal = |c: char| {
        (c.is_control() && !matches!(c, '\t' | '\n' | '\r')) || matches!(c, '\u{fffe}' | '\u{ffff}')
    };
    let show = |c: char| match is_illegal(c) {
        true => c.escape_unicode().to_string(),
        false => c.to_string(),
    };
    text.chars().map(show).collect()
}
