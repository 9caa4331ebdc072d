//! Where messages may go at all.

use crate::config::model::LimitRules;
use crate::people::{PhoneNumber, Special};

impl LimitRules {
    /// Whether messages may go to `number`.
    ///
    /// # Errors
    /// When they may not, with the reason.
    pub fn allows(&self, number: &PhoneNumber) -> Result<(), String> {
        if let Some(special) =
            Special::of(number).filter(|kind| !self.special_numbers.contains(kind))
        {
            let name = special.name();
            return Err(format!("`{name}` is not in [limits] special_numbers"));
        }
        match &self.countries {
            Some(prefixes) if !prefixes.iter().any(|prefix| number.starts_with(prefix)) => {
                Err("the country is not in [limits] countries".to_owned())
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::config::model::LimitRules;
    use crate::config::source::Sources;

    #[test]
    fn numbers_outside_and_special_ones_are_refused_unless_they_are_named() {
        for (rules, number, allowed) in [
            ("", "+4915123456789", true),
            ("", "+881612345678", false),
            ("", "+19005550123", false),
            ("countries = ['+1', '+49']", "+4915123456789", true),
            ("countries = ['+1', '+49']", "+375291234567", false),
            ("countries = ['+1']", "+19005550123", false),
            ("countries = ['+1']\nspecial_numbers = ['premium']", "+19005550123", true),
            ("special_numbers = ['satellite']", "+881612345678", true),
            ("special_numbers = ['satellite']", "+979123456789", false),
            ("countries = []", "+4915123456789", false),
        ] {
            let rules: LimitRules = Sources::from_text("limits", rules).parse().unwrap();
            assert_eq!(rules.allows(&number.parse().unwrap()).is_ok(), allowed, "{number}");
        }
    }
}
