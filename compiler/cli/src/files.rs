//! Reading and writing files, and telling people about it.

use std::collections::BTreeSet;
use std::fs::Metadata;
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

/// The bytes of a file.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>> {
    std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))
}

/// The text of a file.
pub(crate) fn read_text(path: &Path) -> Result<String> {
    let bytes = read(path)?;
    String::from_utf8(bytes)
        .map_err(|error| anyhow::anyhow!("{} is no UTF-8 text: {}", path.display(), error.utf8_error()))
}

/// Writes a file completely or not at all: to a temporary name beside it, then renamed. What is no regular file, a device or a pipe, is
/// written to directly; a link keeps pointing to the file it names.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    let context = || format!("cannot write {}", path.display());
    let existing = std::fs::metadata(path).ok();
    if existing.as_ref().is_some_and(|existing| !existing.is_file()) {
        return std::fs::write(path, bytes).with_context(context);
    }
    let path = if existing.is_some() { path.canonicalize().with_context(context)? } else { path.to_path_buf() };
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut file = tempfile::NamedTempFile::new_in(folder).with_context(context)?;
    file.write_all(bytes).with_context(context)?;
    set_permissions(&file, existing.as_ref()).with_context(context)?;
    file.persist(&path).map_err(|error| error.error).with_context(context)?;
    Ok(())
}

/// Temporary files are private; the result keeps the permissions of the file it replaces, or is as readable as any other file.
#[cfg(unix)]
fn set_permissions(file: &tempfile::NamedTempFile, replaced: Option<&Metadata>) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    let usual = || std::fs::Permissions::from_mode(0o644);
    file.as_file().set_permissions(replaced.map_or_else(usual, Metadata::permissions))
}

#[cfg(not(unix))]
fn set_permissions(_: &tempfile::NamedTempFile, _: Option<&Metadata>) -> std::io::Result<()> {
    Ok(())
}

/// Fails if writing `output` would replace `input`.
pub(crate) fn keep_input(input: &Path, output: &Path) -> Result<()> {
    let same = matches!((input.canonicalize(), output.canonicalize()), (Ok(input), Ok(output)) if input == output);
    if same {
        bail!("{} is the input; choose another name for the output", output.display());
    }
    Ok(())
}

/// Fails unless the name of a network can be part of a file name.
pub(crate) fn check_name(name: &str) -> Result<()> {
    if ["", ".", ".."].contains(&name) || name.contains(|c: char| c == '/' || c == '\\' || c.is_control()) {
        bail!("`{name}` cannot be the name of a network: it must be a file name without folders");
    }
    Ok(())
}

/// File names for things with names of their own, each once.
#[derive(Debug, Default)]
pub(crate) struct Names {
    used: BTreeSet<String>,
}

impl Names {
    /// The file for `name`: with `/` written as `_`, and with a number if another name gave the same.
    pub(crate) fn file(&mut self, name: &str, extension: &str) -> String {
        self.claim(name, &format!(".{extension}"))
    }

    /// The folder for `name`, likewise.
    pub(crate) fn folder(&mut self, name: &str) -> String {
        self.claim(name, "")
    }

    fn claim(&mut self, name: &str, ending: &str) -> String {
        let stem = name.replace(['/', '\\'], "_");
        let mut file = format!("{stem}{ending}");
        let mut number = 1;
        while !self.used.insert(file.clone()) {
            number += 1;
            file = format!("{stem}_{number}{ending}");
        }
        file
    }
}

/// Whether a file is an image, judged by its name.
pub(crate) fn is_image(path: &Path) -> bool {
    has_extension(path, &["png", "jpg", "jpeg"])
}

fn has_extension(path: &Path, known: &[&str]) -> bool {
    let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
    known.iter().any(|known| known.eq_ignore_ascii_case(extension))
}

/// The images and arrays of a folder, in the order of their names.
pub(crate) fn samples(folder: &Path) -> Result<Vec<PathBuf>> {
    let context = || format!("cannot read the folder {}", folder.display());
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).with_context(context)? {
        let path = entry.with_context(context)?.path();
        if path.is_file() && (is_image(&path) || has_extension(&path, &["npy"])) {
            found.push(path);
        }
    }
    found.sort();
    if found.is_empty() {
        bail!("the folder {} has no .png, .jpg, .jpeg or .npy file", folder.display());
    }
    Ok(found)
}

/// Whether a path that names no file has a wildcard in its last part.
pub(crate) fn is_pattern(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    name.contains(['*', '?']) && !path.exists()
}

/// The files of a folder whose names match the last part of a path, in the order of their names: `*` stands for any characters, `?` for one.
pub(crate) fn matching(path: &Path) -> Result<Vec<PathBuf>> {
    let pattern: Vec<char> = path.file_name().unwrap_or_default().to_string_lossy().chars().collect();
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut found = samples(folder)?;
    found.retain(|file| {
        let name: Vec<char> = file.file_name().unwrap_or_default().to_string_lossy().chars().collect();
        matches(&pattern, &name)
    });
    if found.is_empty() {
        bail!("no image or .npy file in {} is called so", folder.display());
    }
    Ok(found)
}

/// Whether a name is what a pattern stands for. The last `*` takes as much as it must: no earlier one needs to take more.
fn matches(pattern: &[char], name: &[char]) -> bool {
    let (mut at, mut next) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while at < name.len() {
        match (pattern.get(next), star) {
            (Some('*'), _) => {
                star = Some((next, at));
                next += 1;
            }
            (Some(&c), _) if c == '?' || c == name[at] => (at, next) = (at + 1, next + 1),
            (_, Some((place, taken))) => {
                (at, next) = (taken + 1, place + 1);
                star = Some((place, taken + 1));
            }
            (_, None) => return false,
        }
    }
    pattern[next..].iter().all(|&c| c == '*')
}

/// Creates a folder and those above it.
pub(crate) fn create_folder(path: &Path) -> Result<()> {
    std::fs::create_dir_all(path).with_context(|| format!("cannot create the folder {}", path.display()))
}

/// Writes to standard output. Whoever closed the other end of a pipe has seen enough; any other failure is an error.
pub(crate) fn print(text: &str) {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Ok(()) => {}
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => std::process::exit(0),
        Err(error) => {
            note(&format!("error: cannot write to standard output: {error}"));
            std::process::exit(1);
        }
    }
}

/// Writes a remark to standard error.
pub(crate) fn note(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}

/// Writes an error and its causes to standard error.
pub(crate) fn report(error: &anyhow::Error) {
    note(&format!("error: {error:#}"));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_names() {
        let matches = |pattern: &str, name: &str| {
            matches(&pattern.chars().collect::<Vec<_>>(), &name.chars().collect::<Vec<_>>())
        };
        for (pattern, name) in [
            ("*", ""),
            ("*.png", ".png"),
            ("calib_???.png", "calib_007.png"),
            ("a*b*c", "a__b_b__c"),
            ("*é?", "éé"),
            ("**x", "xx"),
        ] {
            assert!(matches(pattern, name), "{pattern} {name}");
        }
        for (pattern, name) in
            [("", "a"), ("calib_???.png", "calib_007_label.png"), ("a*b", "a"), ("?", ""), ("*x", "xy")]
        {
            assert!(!matches(pattern, name), "{pattern} {name}");
        }
    }
}
