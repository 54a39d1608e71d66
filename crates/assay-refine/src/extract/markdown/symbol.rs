//! Characters of formulas as LaTeX commands: Greek letters, operators, relations, arrows.

/// Characters with the names of their commands.
#[rustfmt::skip]
const SYMBOLS: &[(char, &str)] = &[
    ('α', "alpha"), ('β', "beta"), ('γ', "gamma"), ('δ', "delta"), ('ε', "varepsilon"), ('ϵ', "epsilon"),
    ('ζ', "zeta"), ('η', "eta"), ('θ', "theta"), ('ι', "iota"), ('κ', "kappa"), ('λ', "lambda"), ('μ', "mu"),
    ('ν', "nu"), ('ξ', "xi"), ('π', "pi"), ('ρ', "rho"), ('σ', "sigma"), ('τ', "tau"), ('υ', "upsilon"),
    ('φ', "varphi"), ('ϕ', "phi"), ('χ', "chi"), ('ψ', "psi"), ('ω', "omega"), ('Γ', "Gamma"), ('Δ', "Delta"),
    ('Θ', "Theta"), ('Λ', "Lambda"), ('Ξ', "Xi"), ('Π', "Pi"), ('Σ', "Sigma"), ('Φ', "Phi"), ('Ψ', "Psi"),
    ('Ω', "Omega"), ('×', "times"), ('÷', "div"), ('·', "cdot"), ('⋅', "cdot"), ('∗', "ast"), ('±', "pm"),
    ('∓', "mp"), ('∘', "circ"), ('⊕', "oplus"), ('⊗', "otimes"), ('∧', "wedge"), ('∨', "vee"), ('¬', "neg"),
    ('≤', "le"), ('≥', "ge"), ('≠', "ne"), ('≈', "approx"), ('≡', "equiv"), ('∼', "sim"), ('≅', "cong"),
    ('∝', "propto"), ('≪', "ll"), ('≫', "gg"), ('∈', "in"), ('∉', "notin"), ('∋', "ni"), ('⊂', "subset"),
    ('⊆', "subseteq"), ('⊃', "supset"), ('∪', "cup"), ('∩', "cap"), ('∅', "emptyset"), ('∀', "forall"),
    ('∃', "exists"), ('∞', "infty"), ('∂', "partial"), ('∇', "nabla"), ('∑', "sum"), ('∏', "prod"),
    ('∫', "int"), ('∮', "oint"), ('√', "surd"), ('→', "to"), ('←', "leftarrow"), ('↔', "leftrightarrow"),
    ('⇒', "Rightarrow"), ('⇐', "Leftarrow"), ('⇔', "Leftrightarrow"), ('↦', "mapsto"), ('⟨', "langle"),
    ('⟩', "rangle"), ('⌈', "lceil"), ('⌉', "rceil"), ('⌊', "lfloor"), ('⌋', "rfloor"), ('…', "ldots"),
    ('⋯', "cdots"), ('ℓ', "ell"), ('ℏ', "hbar"), ('∥', "parallel"), ('⊥', "perp"), ('∠', "angle"),
];

/// Characters that LaTeX writes otherwise without a name.
#[rustfmt::skip]
const PLAIN: &[(char, &str)] = &[
    ('−', "-"), ('′', "'"), ('{', "\\{"), ('}', "\\}"), ('%', "\\%"), ('&', "\\&"), ('#', "\\#"), ('\u{2061}', ""),
    ('\u{2062}', ""), ('\u{2063}', ""), ('\u{2064}', ""), ('\u{a0}', " "), ('ℝ', "\\mathbb{R}"), ('ℕ', "\\mathbb{N}"),
    ('ℤ', "\\mathbb{Z}"), ('ℚ', "\\mathbb{Q}"), ('ℂ', "\\mathbb{C}"),
];

/// Names of functions that are commands.
const OPERATORS: &[&str] = &[
    "arccos", "arcsin", "arctan", "cos", "cosh", "cot", "csc", "deg", "det", "dim", "exp", "gcd", "inf",
    "ker", "lim", "ln", "log", "max", "min", "sec", "sin", "sinh", "sup", "tan", "tanh",
];

/// The LaTeX of a character.
pub(super) fn latex_of(character: char) -> String {
    if character.is_ascii_alphanumeric() {
        return character.to_string();
    }
    if let Some((_, name)) = SYMBOLS.iter().find(|(known, _)| *known == character) {
        return ["\\", name].concat();
    }
    let plain = PLAIN.iter().find(|(known, _)| *known == character);
    plain.map_or_else(|| character.to_string(), |(_, text)| (*text).to_owned())
}

/// Whether a name is that of a function.
pub(super) fn is_operator_name(name: &str) -> bool {
    OPERATORS.binary_search(&name).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_in_order() {
        assert!(OPERATORS.is_sorted());
        let mut characters: Vec<char> = SYMBOLS.iter().chain(PLAIN).map(|(c, _)| *c).collect();
        characters.sort_unstable();
        assert!(characters.windows(2).all(|pair| pair[0] != pair[1]));
        assert_eq!(latex_of('π'), "\\pi");
    }
}
