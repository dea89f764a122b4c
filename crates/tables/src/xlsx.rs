//! XLSX: workbooks of ECMA-376, read through calamine and written by hand.

mod archives;
mod escapes;
mod reading;
mod writing;

pub(crate) use reading::Workbook;
pub(crate) use writing::Sheets;
