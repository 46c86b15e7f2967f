//! The partition as parts and as a picture.

use dpuc_report::{Device, Plan, Source};

use crate::file::{Names, PLAIN, graph};

fn plan(names: Names<'_>) -> Plan {
    Plan::of(&Source::file(&graph(names))).unwrap()
}

#[test]
fn parts_follow_each_other() {
    let plan = plan(PLAIN);
    let devices: Vec<Device> = plan.parts.iter().map(|part| part.device).collect();
    assert_eq!(devices, [Device::Input, Device::Dpu, Device::Cpu]);
    let flows: Vec<(usize, usize)> = plan.flows.iter().map(|flow| (flow.from, flow.to)).collect();
    assert_eq!(flows, [(0, 1), (1, 2)]);
    assert_eq!(plan.parts[1].operations.len(), 2);
    let pool = plan.parts[1].operations[1];
    assert_eq!((plan.results(1), &plan.operations[pool].name[..]), (vec![pool], "net/pool"));
}

#[test]
fn a_picture_is_one_element_whatever_the_names() {
    let hostile = Names { network: "</svg>", conv: "<script>", pool: "a&b\"'\u{1b}[2J", host: "\u{ffff}\u{0}" };
    for names in [PLAIN, hostile] {
        let picture = plan(names).svg();
        assert!(picture.starts_with("<svg xmlns=") && picture.ends_with("</svg>\n"));
        assert_eq!(picture.matches("</svg").count(), 1);
        assert!(!picture.contains("<script") && !picture.contains(|c: char| c.is_control() && c != '\n'), "{picture}");
        assert!(!picture.contains('\u{ffff}'));
        for class in ["dpu", "cpu", "input"] {
            assert_eq!(picture.matches(&format!("<g class=\"{class}\"")).count(), 1, "{class}");
        }
        assert_eq!(picture.matches("class=\"arrow\"").count(), 2);
        assert_eq!(picture, plan(names).svg());
    }
}
