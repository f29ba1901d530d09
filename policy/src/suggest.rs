//! The word that was probably meant.

use strsim::osa_distance;

/// The candidate nearest to `word`, when it is near enough to be a slip of the hand.
pub(crate) fn nearest<'a>(
    word: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<String> {
    let allowed = (word.chars().count() / 3).clamp(1, 3);
    candidates
        .into_iter()
        .filter(|candidate| *candidate != word)
        .map(|candidate| {
            (
                osa_distance(&word.to_lowercase(), &candidate.to_lowercase()),
                candidate,
            )
        })
        .filter(|(distance, _)| *distance <= allowed)
        .min()
        .map(|(_, candidate)| candidate.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_is_recognised_and_a_different_word_is_not() {
        let keys = ["require", "roles", "run_as"];
        assert_eq!(nearest("requre", keys).as_deref(), Some("require"));
        assert_eq!(nearest("Roles", keys).as_deref(), Some("roles"));
        assert_eq!(nearest("weather", keys), None);
    }
}
