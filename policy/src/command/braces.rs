//! `{a,b}`: one word that stands for several.

use super::CommandError;
use super::words::Unit;
use crate::limits::MAX_ALTERNATIVES;

type Alternative = Vec<Unit>;

/// Every word that `units` stands for; at least one.
pub(super) fn expand(units: &[Unit]) -> Result<Vec<Alternative>, CommandError> {
    let mut rest = units;
    let words = sequence(&mut rest, 0)?;
    match rest.first() {
        None => Ok(words),
        Some(_) => Err(CommandError::new(
            "`}` without `{`; quote it to mean itself",
        )),
    }
}

// Reads up to the end, or to the `,` or `}` that ends an alternative of an outer brace.
fn sequence(rest: &mut &[Unit], depth: usize) -> Result<Vec<Alternative>, CommandError> {
    let mut words = vec![Vec::new()];
    while let Some((&unit, after)) = rest.split_first() {
        match unit {
            Unit::Open => {
                *rest = after;
                words = product(&words, &group(rest, depth + 1)?)?;
            }
            Unit::Close => break,
            Unit::Comma if depth > 0 => break,
            Unit::Comma => {
                *rest = after;
                push_all(&mut words, Unit::Char(','));
            }
            unit => {
                *rest = after;
                push_all(&mut words, unit);
            }
        }
    }
    Ok(words)
}

// Reads the alternatives behind a `{` and its `}`.
fn group(rest: &mut &[Unit], depth: usize) -> Result<Vec<Alternative>, CommandError> {
    if depth > 8 {
        return Err(CommandError::new("braces within braces, more than 8 deep"));
    }
    let mut alternatives = Vec::new();
    let mut commas = 0;
    loop {
        alternatives.extend(sequence(rest, depth)?);
        limit(alternatives.len())?;
        let Some((&unit, after)) = rest.split_first() else {
            return Err(CommandError::new(
                "`{` without `}`; quote it to mean itself",
            ));
        };
        *rest = after;
        if unit == Unit::Close {
            break;
        }
        commas += 1;
    }
    if commas == 0 {
        return Err(CommandError::new(
            "braces hold alternatives, as in `{start,stop}`; quote them to mean themselves",
        ));
    }
    Ok(alternatives)
}

fn push_all(words: &mut [Alternative], unit: Unit) {
    for word in words {
        word.push(unit);
    }
}

fn product(heads: &[Alternative], tails: &[Alternative]) -> Result<Vec<Alternative>, CommandError> {
    limit(heads.len() * tails.len())?;
    let joined = heads
        .iter()
        .flat_map(|head| tails.iter().map(move |tail| [&head[..], tail]));
    Ok(joined.map(|parts| parts.concat()).collect())
}

fn limit(count: usize) -> Result<(), CommandError> {
    if count <= MAX_ALTERNATIVES {
        return Ok(());
    }
    Err(CommandError::new(format!(
        "the braces of one word stand for more than {MAX_ALTERNATIVES} words"
    )))
}
