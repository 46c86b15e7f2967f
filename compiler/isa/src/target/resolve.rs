//! From what a user writes to a target: names, boards, sizes, fingerprints, `arch.json`.

use serde_json::Value;

use super::fingerprint::parse_fingerprint;
use super::registry::registry;
use super::{Target, TargetError};
use crate::suggest::closest;

/// Prefixes that TVM and old Vitis AI releases put before a board's name.
const BOARD_PREFIXES: [&str; 2] = ["dpuczdx8g-", "dpuv2-"];

/// Common part of the registered names.
const NAME_PREFIX: &str = "DPUCZDX8G_ISA1_";

impl Target {
    /// The target with a registered name or a dynamic one, `DPUCZDX8G_ISA1_B<peak>_<16 digits>`.
    ///
    /// # Errors
    /// Says what the name stands for if it is an ISA-0 target or of another family, else which known name is closest.
    pub fn from_name(name: &str) -> Result<Self, TargetError> {
        let registry = registry();
        let listed = |list: &'static [(String, u64)]| list.iter().find(|(of, _)| of == name).map(|&(_, print)| print);
        if let Some(fingerprint) = listed(&registry.registered).or_else(|| listed(&registry.retired)) {
            return Self::from_fingerprint(fingerprint);
        }
        if let Some(target) = from_dynamic_name(name) {
            return target;
        }
        let what = || format!("`{name}`");
        let has_prefix =
            |prefix: &str| name.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix));
        if has_prefix("DPUCZDX8G_ISA0_") {
            return Err(TargetError::IsaZero { what: what() });
        }
        let families = registry.families.iter().map(|(family, _)| family).chain(&registry.uncoded_families);
        // DPUCADX8G is no prefix of another family's name, but a longer family name may begin with a shorter one.
        let family = families.filter(|family| has_prefix(family)).max_by_key(|family| family.len());
        match (listed(&registry.other), family.map(String::as_str)) {
            (Some(fingerprint), _) => Self::from_fingerprint(fingerprint),
            (None, Some("DPUCZDX8G")) if name.len() == "DPUCZDX8G".len() => {
                Err(TargetError::FamilyOnly { name: name.to_owned() })
            }
            (None, Some(family)) if family != "DPUCZDX8G" => {
                Err(TargetError::OtherFamily { what: what(), family: family.to_owned() })
            }
            _ => Err(unknown(name)),
        }
    }

    /// The target a user means by a target name, a board (`kv260`, `DPUCZDX8G-kv260`), a size (`B4096`) or a fingerprint
    /// (`0x101000056010407`). Letter case of boards and sizes does not matter.
    pub fn resolve(text: &str) -> Result<Self, TargetError> {
        let text = text.trim();
        if text.starts_with("0x") || text.starts_with("0X") {
            return Self::from_fingerprint(parse_fingerprint(text)?);
        }
        let lower = text.to_ascii_lowercase();
        let board = without_board_prefix(&lower);
        if let Some(board) = Self::boards().iter().find(|known| known.name == board) {
            return Self::from_fingerprint(board.fingerprint);
        }
        if let Some(target) = Self::registered().into_iter().find(|target| {
            target.name.eq_ignore_ascii_case(text) || target.name[NAME_PREFIX.len()..].eq_ignore_ascii_case(text)
        }) {
            return Ok(target);
        }
        Self::from_name(text)
    }

    /// The target of an `arch.json`: `{"target": NAME}` or `{"fingerprint": "0x…"}`. If both are there, `target` counts.
    pub fn parse_arch_json(text: &str) -> Result<Self, TargetError> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let value: Value =
            serde_json::from_str(text).map_err(|error| TargetError::ArchSyntax { message: error.to_string() })?;
        let Value::Object(arch) = value else {
            return Err(TargetError::ArchShape { problem: "it is no JSON object" });
        };
        if let Some(dcf) = arch.get("dcf") {
            return Err(TargetError::ArchDcf { dcf: dcf.as_str().unwrap_or("?").chars().take(80).collect() });
        }
        match (arch.get("target"), arch.get("fingerprint")) {
            (Some(Value::String(name)), _) => Self::resolve(name),
            (Some(_), _) => Err(TargetError::ArchShape { problem: "`target` is no string" }),
            (None, Some(Value::String(fingerprint))) => Self::from_fingerprint(parse_fingerprint(fingerprint.trim())?),
            (None, Some(_)) => {
                Err(TargetError::ArchShape { problem: "`fingerprint` is no string of hexadecimal digits" })
            }
            (None, None) => Err(TargetError::ArchShape { problem: "it has neither `target` nor `fingerprint`" }),
        }
    }
}

fn without_board_prefix(lower: &str) -> &str {
    BOARD_PREFIXES.iter().find_map(|prefix| lower.strip_prefix(prefix)).unwrap_or(lower)
}

/// Reads `DPUCZDX8G_ISA1_B<peak>_<16 digits>`; nothing if the name has another form.
fn from_dynamic_name(name: &str) -> Option<Result<Target, TargetError>> {
    let (size, digits) = name.strip_prefix(NAME_PREFIX)?.split_once('_')?;
    if digits.len() != 16 {
        return None;
    }
    let fingerprint = parse_fingerprint(digits).ok()?;
    Some(Target::from_fingerprint(fingerprint).and_then(|target| {
        if size == format!("B{}", target.peak_operations()) {
            return Ok(target);
        }
        Err(TargetError::NameMismatch { name: name.to_owned(), actual: target.name })
    }))
}

fn unknown(name: &str) -> TargetError {
    let registry = registry();
    let targets = registry.registered.iter().map(|(name, _)| name.as_str());
    let boards = registry.boards.iter().map(|board| board.name.as_str());
    let sizes = targets.clone().map(|name| &name[NAME_PREFIX.len()..]);
    let known: Vec<&str> = targets.chain(boards).collect();
    let lower = name.to_ascii_lowercase();
    let suggestion = closest(without_board_prefix(&lower), known.iter().copied().chain(sizes)).map(str::to_owned);
    TargetError::UnknownName { name: name.chars().take(80).collect(), suggestion, known: known.join(", ") }
}
