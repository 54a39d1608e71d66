//! The attributes a [`super::Document`] keeps; all others are dropped while the page is read.

use super::name::{Table, fold};

macro_rules! keys {
    ($($variant:ident $name:literal)*) => {
        /// The name of a kept attribute.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(u8)]
        pub enum AttributeKey {
            $(#[doc = concat!("`", $name, "`")] $variant,)*
        }

        static KEYS: Table<AttributeKey> = Table::new(&[$(($name, AttributeKey::$variant),)*], AttributeKey::Class);
    };
}

keys! {
    Class "class" Id "id" Href "href" Style "style" Role "role" Type "type" Name "name" Content "content"
    Property "property" Rel "rel" Alt "alt" Lang "lang" Hidden "hidden" AriaHidden "aria-hidden"
    Itemprop "itemprop" Itemtype "itemtype" Itemscope "itemscope" Itemref "itemref" Itemid "itemid"
    Colspan "colspan" Rowspan "rowspan" Datetime "datetime" Alttext "alttext" Encoding "encoding" Src "src"
    Start "start" Display "display" DataLang "data-lang" DataLanguage "data-language"
}

impl AttributeKey {
    /// The key of an attribute name, if it is kept.
    pub fn from_name(name: &str) -> Option<AttributeKey> {
        AttributeKey::from_key(fold(name.as_bytes()))
    }

    /// The same of a folded name.
    pub(super) fn from_key(key: u64) -> Option<AttributeKey> {
        KEYS.get(key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_names_are_not_kept() {
        assert_eq!(AttributeKey::from_name("class"), Some(AttributeKey::Class));
        assert_eq!(AttributeKey::from_name("data-x"), None);
    }
}
