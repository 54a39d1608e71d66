//! The attributes a [`super::Document`] keeps; all others are dropped while the tree is built.

macro_rules! keys {
    ($($variant:ident $name:literal)*) => {
        /// The name of a kept attribute.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(u8)]
        pub enum AttributeKey {
            $(#[doc = concat!("`", $name, "`")] $variant,)*
        }

        impl AttributeKey {
            /// The key of a lower-case attribute name, if it is kept.
            pub fn from_name(name: &str) -> Option<AttributeKey> {
                match name {
                    $($name => Some(AttributeKey::$variant),)*
                    _ => None,
                }
            }
        }
    };
}

keys! {
    Class "class" Id "id" Href "href" Style "style" Role "role" Type "type" Name "name" Content "content"
    Property "property" Rel "rel" Alt "alt" Lang "lang" Hidden "hidden" AriaHidden "aria-hidden"
    Itemprop "itemprop" Itemtype "itemtype" Itemscope "itemscope" Itemref "itemref" Itemid "itemid"
    Colspan "colspan" Rowspan "rowspan" Datetime "datetime"
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
