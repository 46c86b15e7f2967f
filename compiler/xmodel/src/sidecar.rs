//! The two small files that accompany a compiled `.xmodel` (§3.9).

use std::fmt::Write;

use md5::{Digest, Md5};

/// The contents of `md5sum.txt`: the MD5 of the `.xmodel` in 32 hexadecimal digits and a newline.
pub fn md5sum_txt(xmodel: &[u8]) -> String {
    md5_hex(xmodel) + "\n"
}

/// The MD5 of `bytes` in 32 lower-case hexadecimal digits, as in the graph attribute `files_md5sum`.
pub fn md5_hex(bytes: &[u8]) -> String {
    Md5::digest(bytes).iter().fold(String::new(), |mut hex, byte| {
        // Writing to a string cannot fail.
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

/// The contents of `meta.json`.
///
/// * `file_name`: name of the `.xmodel` without folder
/// * `kernels`: names of the DPU subgraphs in execution order
/// * `target`: name of the DPU target
///
/// Written as Boost's property tree does, with which AMD's tools write and read it: 4 blanks, `/` escaped, and an empty
/// array as `""`.
pub fn meta_json(file_name: &str, kernels: &[&str], target: &str) -> String {
    let kernel = if kernels.is_empty() {
        json_string("")
    } else {
        let names: Vec<String> = kernels.iter().map(|name| format!("        {}", json_string(name))).collect();
        format!("[\n{}\n    ]", names.join(",\n"))
    };
    let fields =
        [("lib", json_string("libvart-dpu-runner.so")), ("filename", json_string(file_name)), ("kernel", kernel)];
    let mut json = String::from("{\n");
    for (key, value) in fields {
        let _ = writeln!(json, "    \"{key}\": {value},");
    }
    let _ = write!(json, "    \"target\": {}\n}}\n", json_string(target));
    json
}

fn json_string(text: &str) -> String {
    let mut json = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' | '/' => json.extend(['\\', c]),
            '\u{8}' => json.push_str("\\b"),
            '\u{c}' => json.push_str("\\f"),
            '\n' => json.push_str("\\n"),
            '\r' => json.push_str("\\r"),
            '\t' => json.push_str("\\t"),
            '\0'..='\u{1f}' => {
                let _ = write!(json, "\\u{:04X}", c as u32);
            }
            _ => json.push(c),
        }
    }
    json.push('"');
    json
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn md5sum_txt_is_the_digest_and_a_newline() {
        assert_eq!(md5sum_txt(b"abc"), "900150983cd24fb0d6963f7d28e17f72\n");
        assert_eq!(md5sum_txt(b"").len(), 33);
    }

    #[test]
    fn meta_json_lists_the_kernels() {
        let expected = r#"{
    "lib": "libvart-dpu-runner.so",
    "filename": "net.xmodel",
    "kernel": [
        "subgraph_a\/b",
        "subgraph_\"c\\d\"\u0001\té"
    ],
    "target": "DPUCZDX8G_ISA1_B4096"
}
"#;
        let kernels = ["subgraph_a/b", "subgraph_\"c\\d\"\u{1}\té"];
        assert_eq!(meta_json("net.xmodel", &kernels, "DPUCZDX8G_ISA1_B4096"), expected);
    }

    #[test]
    fn meta_json_without_kernel_has_an_empty_string() {
        assert!(meta_json("net.xmodel", &[], "T").contains("\n    \"kernel\": \"\",\n"));
    }
}
