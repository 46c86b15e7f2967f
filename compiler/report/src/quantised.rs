//! What quantisation costs, as a page that needs nothing but itself.

use serde::Serialize;

use crate::html::{COMMON, STYLE, escaped, fill, in_script};

const PAGE: &str = include_str!("page/quantised.html");
const OWN_STYLE: &str = include_str!("page/quantised.css");
const PROGRAM: &str = include_str!("page/quantised.js");

/// The data of a page.
#[derive(Serialize)]
struct Data<'a> {
    name: &'a str,
    report: &'a dpuc_quantise::Report,
}

/// The page that shows where a network called `name` loses accuracy by being quantised: the tensors that cost most, histograms of all.
pub fn quantised_page(name: &str, report: &dpuc_quantise::Report) -> String {
    // Text and finite numbers can always be written as JSON.
    let data = serde_json::to_string(&Data { name, report }).unwrap_or_default();
    let parts = [
        ("{{title}}", escaped(name)),
        ("{{style}}", [STYLE, OWN_STYLE].concat()),
        ("{{data}}", in_script(&data)),
        ("{{program}}", [COMMON, PROGRAM].concat()),
    ];
    fill(PAGE, &parts)
}
