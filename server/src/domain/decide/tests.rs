//! The rules as tables, and the two properties that make them independent of arrival.

mod amounts;
mod limits;
mod names;
mod properties;
mod receipts;
mod table;
