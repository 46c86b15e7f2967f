//! Pipelines as text: `name,name{option=value option=value},…`.

use dpuc_grammar::{Diagnostic, Span, suggest};

use super::registry::{PassInfo, PassOptions, PassRegistry, PlannedPass};

/// Reads a pipeline; gives all that is wrong with it, with places in `text`.
pub fn parse_pipeline(text: &str, registry: &PassRegistry) -> Result<Vec<PlannedPass>, Vec<Diagnostic>> {
    let mut passes = Vec::new();
    let mut diagnostics = Vec::new();
    for item in split_items(text) {
        match read_item(text, item, registry) {
            Ok(pass) => passes.extend(pass),
            Err(diagnostic) => diagnostics.push(*diagnostic),
        }
    }
    if diagnostics.is_empty() { Ok(passes) } else { Err(diagnostics) }
}

/// Byte ranges between commas outside braces.
fn split_items(text: &str) -> Vec<Span> {
    let mut items = Vec::new();
    let (mut start, mut depth) = (0, 0usize);
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'{' => depth += 1,
            b'}' => depth = depth.saturating_sub(1),
            b',' if depth == 0 => {
                items.push(Span { start, end: at as u32 });
                start = at as u32 + 1;
            }
            _ => {}
        }
    }
    items.push(Span { start, end: text.len() as u32 });
    items
}

fn trimmed(text: &str, span: Span) -> (&str, Span) {
    let part = &text[span.start as usize..span.end as usize];
    let left = part.len() - part.trim_start().len();
    let start = span.start + left as u32;
    (part.trim(), Span { start, end: start + part.trim().len() as u32 })
}

type Read = Result<Option<PlannedPass>, Box<Diagnostic>>;

fn read_item(text: &str, span: Span, registry: &PassRegistry) -> Read {
    let (item, span) = trimmed(text, span);
    if item.is_empty() {
        // An empty pipeline is fine, and so is a comma at the end.
        return Ok(None);
    }
    let brace = item.find('{').unwrap_or(item.len());
    let (name, name_span) = trimmed(text, Span { start: span.start, end: span.start + brace as u32 });
    let Some(info) = registry.find(name) else {
        let diagnostic = Diagnostic::error("unknown-pass", name_span, format!("no pass is called `{name}`"));
        return Err(Box::new(match suggest(name, registry.iter().map(|info| info.name)) {
            Some(other) => diagnostic.with_hint(format!("did you mean `{other}`?")),
            None => diagnostic.with_hint("`dpuc opt --list-passes` lists them"),
        }));
    };
    let mut options = PassOptions::default();
    if let Some(inside) = item.get(brace + 1..) {
        let Some(inside) = inside.strip_suffix('}') else {
            let diagnostic = Diagnostic::error("pipeline", span, "the options' `{` has no `}`");
            return Err(Box::new(diagnostic));
        };
        read_options(inside, span.start + brace as u32 + 1, info, &mut options)?;
    }
    if let Err(missing) = options.fill(info.options) {
        let message = format!("the pass `{name}` needs the option `{}`", missing.name);
        let hint = format!("write `{name}{{{}=…}}`: {}", missing.name, missing.doc);
        return Err(Box::new(Diagnostic::error("missing-option", name_span, message).with_hint(hint)));
    }
    match (info.create)(&options) {
        Ok(pass) => Ok(Some((*info, pass))),
        Err(error) => Err(Box::new(Diagnostic::error("pass-option", span, error.to_string()))),
    }
}

fn read_options(text: &str, start: u32, info: &PassInfo, options: &mut PassOptions) -> Result<(), Box<Diagnostic>> {
    let mut at = 0;
    for word in text.split(|c: char| c.is_whitespace() || c == ',') {
        let span = Span { start: start + at as u32, end: start + (at + word.len()) as u32 };
        at += word.len() + 1;
        if word.is_empty() {
            continue;
        }
        let Some((key, value)) = word.split_once('=') else {
            let diagnostic = Diagnostic::error("pipeline", span, format!("`{word}` is not of the form `option=value`"));
            return Err(Box::new(diagnostic));
        };
        let Some(option) = info.options.iter().find(|option| option.name == key) else {
            let diagnostic =
                Diagnostic::error("unknown-option", span, format!("the pass `{}` has no option `{key}`", info.name));
            return Err(Box::new(match suggest(key, info.options.iter().map(|option| option.name)) {
                Some(other) => diagnostic.with_hint(format!("did you mean `{other}`?")),
                None => diagnostic,
            }));
        };
        if !options.set(option.name, value.to_owned()) {
            let diagnostic = Diagnostic::error("pipeline", span, format!("the option `{key}` is given twice"));
            return Err(Box::new(diagnostic));
        }
    }
    Ok(())
}
