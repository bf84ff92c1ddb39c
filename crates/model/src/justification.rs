//! The reasons why a product is not affected by a vulnerability of a component.

/// Why a product is not affected: the five words that OpenVEX and CSAF share (CISA's "VEX Status
/// Justifications", June 2022).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Justification {
    /// The component is not in the product.
    ComponentNotPresent,
    /// The component is in the product, its vulnerable code is not.
    VulnerableCodeNotPresent,
    /// The vulnerable code is never executed.
    VulnerableCodeNotInExecutePath,
    /// An attacker cannot control the input of the vulnerable code.
    VulnerableCodeCannotBeControlledByAdversary,
    /// The product prevents the exploitation by other means.
    InlineMitigationsAlreadyExist,
}

impl Justification {
    /// All justifications, in the order of OpenVEX's specification.
    pub const ALL: [Self; 5] = [
        Self::ComponentNotPresent,
        Self::VulnerableCodeNotPresent,
        Self::VulnerableCodeNotInExecutePath,
        Self::VulnerableCodeCannotBeControlledByAdversary,
        Self::InlineMitigationsAlreadyExist,
    ];

    /// The word in OpenVEX and CSAF documents.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::ComponentNotPresent => "component_not_present",
            Self::VulnerableCodeNotPresent => "vulnerable_code_not_present",
            Self::VulnerableCodeNotInExecutePath => "vulnerable_code_not_in_execute_path",
            Self::VulnerableCodeCannotBeControlledByAdversary => {
                "vulnerable_code_cannot_be_controlled_by_adversary"
            }
            Self::InlineMitigationsAlreadyExist => "inline_mitigations_already_exist",
        }
    }

    /// The justification for such a word; `None` for another word.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.word() == word)
    }
}
