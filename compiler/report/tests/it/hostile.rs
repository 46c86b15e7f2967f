//! Names that try to leave the places they are put into.

use dpuc_report::{Explanation, Source, explain};
use serde_json::Value;

use crate::file::{Names, board, graph};

const HOSTILE: Names<'static> = Names {
    network: "</title><script>alert(1)</script>\u{1b}[31m",
    conv: "</script><script>alert(2)</script><!--",
    pool: "\"}];\u{2028}alert(3)//'`${alert(4)}\n{{program}} {{data}}",
    host: "<img src=https://example.org/x onerror=alert(5)> &lt;",
};

fn hostile() -> Explanation {
    explain(&Source::file(&graph(HOSTILE)), board()).unwrap()
}

#[test]
fn the_page_keeps_its_structure() {
    let page = hostile().html();
    // The page's own elements, and no others: one script with data, one with the program.
    let count = |text: &str| page.matches(text).count();
    assert_eq!(
        [count("<script"), count("</script"), count("<title"), count("</title"), count("<!--")],
        [2, 2, 1, 1, 0]
    );
    assert_eq!(count("<img"), 0);
    assert!(page.contains("<title>&lt;/title&gt;&lt;script&gt;"));
}

#[test]
fn the_data_in_the_page_say_the_names_exactly() {
    let page = hostile().html();
    let (_, rest) = page.split_once("<script type=\"application/json\" id=\"data\">").unwrap();
    let (data, _) = rest.split_once("</script>").unwrap();
    let data: Value = serde_json::from_str(data).unwrap();
    let names: Vec<&str> = data["report"]["operations"]
        .as_array()
        .unwrap()
        .iter()
        .map(|operation| operation["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["input", HOSTILE.conv, HOSTILE.pool, HOSTILE.host]);
    assert_eq!(data["report"]["name"], HOSTILE.network);
}

#[test]
fn json_and_traces_are_json() {
    let explanation = hostile();
    let report: Value = serde_json::from_str(&explanation.json()).unwrap();
    assert_eq!(report["subgraphs"][0]["superlayers"][0]["name"], HOSTILE.conv);
    let trace: Value = serde_json::from_str(&explanation.trace()).unwrap();
    assert!(trace["traceEvents"].as_array().unwrap().iter().any(|event| event["name"] == HOSTILE.conv));
}

#[test]
fn tables_move_no_cursor() {
    let table = hostile().table(0);
    assert!(!table.chars().any(|c| c.is_control() && c != '\n') && table.lines().count() == 6, "{table}");
}

#[test]
fn long_names_are_not_repeated_in_traces() {
    let long = "x".repeat(100_000);
    let names = Names { network: "n", conv: &long, pool: "p", host: "h" };
    let trace = explain(&Source::file(&graph(names)), board()).unwrap().trace();
    assert!(trace.len() < 50_000, "{}", trace.len());
}

#[test]
fn a_file_without_devices_is_refused() {
    let graph = dpuc_xmodel::Graph::uncompiled("n", graph(HOSTILE).ops);
    let error = explain(&Source::file(&graph), board());
    // A graph without subgraphs has nothing on the DPU; one with subgraphs of no device is not compiled.
    assert!(error.is_ok_and(|explanation| explanation.report.subgraphs.is_empty()));
}
