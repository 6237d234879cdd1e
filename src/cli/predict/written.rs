//! A file of results, as it is told when it is there.

use std::fmt::{self, Write};

use super::super::{Page, Report};
use crate::ops::predict::file::Written;
use crate::platform::redact::printable;

impl Report for Written {
    fn text(&self, page: &mut Page) -> fmt::Result {
        let file = printable(&self.file.display().to_string());
        let answered = self.rows - self.failed;
        let by = match &self.version {
            Some(version) => format!("{}:{version}", self.model),
            None => self.model.clone(),
        };
        write!(
            page,
            "{file}: {} answered by {by} in {:.1} s",
            rows(answered),
            self.seconds
        )?;
        match self.resumed {
            0 => writeln!(page)?,
            resumed => writeln!(page, ", {} of them by an earlier run", rows(resumed))?,
        }
        if let Some(errors) = &self.errors {
            let errors = printable(&errors.display().to_string());
            writeln!(
                page,
                "{} could not be answered: see {errors}",
                rows(self.failed)
            )?;
        }
        match self.left_alone {
            0 => Ok(()),
            1 => writeln!(page, "1 file of the folder is no image, and was left alone"),
            files => writeln!(
                page,
                "{files} files of the folder are no images, and were left alone"
            ),
        }
    }

    fn names(&self) -> Vec<String> {
        vec![self.file.display().to_string()]
    }
}

fn rows(count: u64) -> String {
    match count {
        1 => "1 row".to_owned(),
        count => format!("{count} rows"),
    }
}
