//! The language of the system.

use crate::lang::Lang;

/// Chinese on a system that speaks Chinese, else English.
///
/// `LC_ALL` counts on every system, since who sets it means it; else the user's language on Windows and macOS, and
/// `LANGUAGE`, `LC_MESSAGES` and `LANG` elsewhere. The locale `C` asks for no translation.
pub fn system_language() -> Lang {
    language(|name| std::env::var(name).ok(), sys_locale::get_locale)
}

fn language(
    variable: impl Fn(&str) -> Option<String>,
    system: impl FnOnce() -> Option<String>,
) -> Lang {
    let set = |name: &str| variable(name).filter(|value| !value.is_empty());
    if let Some(locale) = set("LC_ALL") {
        return Lang::of_locale(&locale);
    }
    if let Some(locale) = set("LC_MESSAGES").or_else(|| set("LANG"))
        && matches!(locale.split('.').next(), Some("C" | "POSIX"))
    {
        return Lang::En;
    }
    system().map_or(Lang::En, |locale| Lang::of_locale(&locale))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(variables: &[(&str, &str)], system: Option<&str>) -> Lang {
        let variable = |name: &str| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        language(variable, || system.map(str::to_owned))
    }

    #[test]
    fn who_says_the_language() {
        assert_eq!(told(&[], None), Lang::En);
        assert_eq!(told(&[], Some("zh-CN")), Lang::Zh);
        assert_eq!(told(&[], Some("de-DE")), Lang::En);
        let english = [("LC_ALL", "en_US.UTF-8"), ("LANG", "zh_CN.UTF-8")];
        assert_eq!(told(&english, Some("zh-CN")), Lang::En);
        let chinese = [("LC_ALL", "zh_CN.UTF-8"), ("LANG", "C")];
        assert_eq!(told(&chinese, Some("en-US")), Lang::Zh);
        assert_eq!(told(&[("LANG", "C.UTF-8")], Some("zh-CN")), Lang::En);
        assert_eq!(told(&[("LANG", "POSIX")], Some("zh-CN")), Lang::En);
        // An empty variable is as good as none.
        assert_eq!(told(&[("LC_ALL", "")], Some("zh-TW")), Lang::Zh);
        assert_eq!(told(&[("LANG", "en_US.UTF-8")], Some("zh-CN")), Lang::Zh);
    }
}
