/* SPDX-License-Identifier: MIT
 * The words themselves. */
#include "tests/sandbox/words.h"

#include "tests/sandbox/dice.h"

const struct slice odd_anchors[] = {
    SLICE(""),
    SLICE(" leading space"),
    SLICE("trailing space "),
    SLICE("  two  spaces  "),
    SLICE("\"quoted\""),
    SLICE("it's"),
    SLICE("back\\slash"),
    SLICE("C:\\new\\table"),
    SLICE("ends with \\"),
    SLICE("a/b/c"),
    SLICE("</script>"),
    SLICE("<img>"),
    SLICE("<img src=\"logo.png\" alt='x'>"),
    SLICE("&amp; & &lt;"),
    SLICE("100% free"),
    SLICE("%20%2C"),
    SLICE("a,b,c"),
    SLICE("x = 1; y = 2"),
    SLICE("(parentheses) [brackets] {braces}"),
    SLICE("regex .* +? ^$ |"),
    SLICE("*"),
    SLICE("-"),
    SLICE("_underscore_"),
    SLICE("null"),
    SLICE("NULL"),
    SLICE("true"),
    SLICE("0"),
    SLICE("007"),
    SLICE("1e5"),
    SLICE("-1"),
    SLICE("tab\there"),
    SLICE("line\nbreak"),
    SLICE("carriage\r\nreturn"),
    SLICE("bell\x07 and \x1f"),
    SLICE("delete \x7f"),
    SLICE("no\xc2\xa0"
          "break"),
    SLICE("zero\xe2\x80\x8bwidth"),
    SLICE("\xef\xbb\xbf"
          "byte order mark"),
    SLICE("line\xe2\x80\xa8separator"),
    SLICE("caf\xc3\xa9"),
    SLICE("cafe\xcc\x81"),
    SLICE("CAF\xc3\x89"),
    SLICE("\xc4\xb0stanbul"),
    SLICE("istanbul"),
    SLICE("\xc4\xb1spanak"),
    SLICE("Stra\xc3\x9f"
          "e"),
    SLICE("STRASSE"),
    SLICE("\xe1\xba\x9e"),
    SLICE("\xce\x9f\xce\xb4\xcf\x85\xcf\x83\xcf\x83\xce\xb5\xcf\x8d\xcf\x82"),
    SLICE("\xce\x9f\xce\x94\xce\xa5\xce\xa3\xce\xa3\xce\x95\xce\x8e\xce\xa3"),
    SLICE("\xd0\x9f\xd1\x80\xd0\xb8\xd0\xb2\xd0\xb5\xd1\x82"),
    SLICE("\xd0\xbf\xd1\x80\xd0\xb8\xd0\xb2\xd0\xb5\xd1\x82"),
    SLICE("\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e"),
    SLICE("\xe4\xb8\xad\xe6\x96\x87 seo"),
    SLICE("\xd8\xa7\xd9\x84\xd8\xb9\xd8\xb1\xd8\xa8\xd9\x8a\xd8\xa9"),
    SLICE("\xd7\xa2\xd7\x91\xd7\xa8\xd7\x99\xd7\xaa abc"),
    SLICE("\xe0\xb9\x84\xe0\xb8\x97\xe0\xb8\xa2"),
    SLICE("\xe0\xa4\xb9\xe0\xa4\xbf\xe0\xa4\xa8\xe0\xa5\x8d\xe0\xa4\xa6\xe0\xa5\x80"),
    SLICE("\xf0\x9f\x98\x80"),
    SLICE("\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x92\xbb developer"),
    SLICE("\xf0\x9f\x87\xa9\xf0\x9f\x87\xaa"),
    SLICE("\xef\xac\x81ne \xef\xbc\xa1\xef\xbc\xa2"),
    SLICE("\xf0\x90\x90\x80 deseret"),
    SLICE("\xef\xbf\xbd"),
    SLICE("\xef\xbf\xbf\xf4\x8f\xbf\xbf"),
    SLICE("Click Here"),
    SLICE("click here"),
    SLICE("CLICK HERE"),
    SLICE("SEO"),
    SLICE("seo"),
    SLICE("Seo"),
    SLICE("best-seo tools"),
    SLICE("museo"),
    SLICE("'; drop table anchors; --"),
    SLICE("{\"and\":[]}"),
    SLICE("[\"Error\",\"Unauthorized\"]"),
    SLICE("z"),
    SLICE("\xc3\xa0 la carte"),
    SLICE("\xc3\x84pfel"),
    SLICE("zzz last"),
};
const size_t n_odd_anchors = sizeof odd_anchors / sizeof odd_anchors[0];

const struct slice twin_anchors[] = {
    SLICE("s"),
    SLICE("S"),
    SLICE("\u017F"),
    SLICE("\u03B2"),
    SLICE("\u0392"),
    SLICE("\u03D0"),
    SLICE("\u03B5"),
    SLICE("\u0395"),
    SLICE("\u03F5"),
    SLICE("\u03B8"),
    SLICE("\u0398"),
    SLICE("\u03F4"),
    SLICE("\u03D1"),
    SLICE("\u03B9"),
    SLICE("\u0399"),
    SLICE("\u0345"),
    SLICE("\u1FBE"),
    SLICE("\u03BA"),
    SLICE("\u039A"),
    SLICE("\u03F0"),
    SLICE("\u03BC"),
    SLICE("\u039C"),
    SLICE("\u00B5"),
    SLICE("\u03C0"),
    SLICE("\u03A0"),
    SLICE("\u03D6"),
    SLICE("\u03C1"),
    SLICE("\u03A1"),
    SLICE("\u03F1"),
    SLICE("\u03C3"),
    SLICE("\u03A3"),
    SLICE("\u03C2"),
    SLICE("\u03C6"),
    SLICE("\u03A6"),
    SLICE("\u03D5"),
    SLICE("\u0432"),
    SLICE("\u0412"),
    SLICE("\u1C80"),
    SLICE("\u0434"),
    SLICE("\u0414"),
    SLICE("\u1C81"),
    SLICE("\u043E"),
    SLICE("\u041E"),
    SLICE("\u1C82"),
    SLICE("\u0441"),
    SLICE("\u0421"),
    SLICE("\u1C83"),
    SLICE("\u0442"),
    SLICE("\u0422"),
    SLICE("\u1C84"),
    SLICE("\u1C85"),
    SLICE("\u044A"),
    SLICE("\u042A"),
    SLICE("\u1C86"),
    SLICE("\u0463"),
    SLICE("\u0462"),
    SLICE("\u1C87"),
    SLICE("\uA64B"),
    SLICE("\uA64A"),
    SLICE("\u1C88"),
    SLICE("\u1E61"),
    SLICE("\u1E60"),
    SLICE("\u1E9B"),
    SLICE("\u0390"),
    SLICE("\u1FD3"),
    SLICE("\u03B0"),
    SLICE("\u1FE3"),
    SLICE("\uFB05"),
    SLICE("\uFB06"),
    SLICE("k"),
    SLICE("K"),
    SLICE("\u212A"),
    SLICE("\u00E5"),
    SLICE("\u00C5"),
    SLICE("\u212B"),
    SLICE("\u03C9"),
    SLICE("\u03A9"),
    SLICE("\u2126"),
    SLICE("\u00DF"),
    SLICE("\u1E9E"),
    SLICE("\u01C6"),
    SLICE("\u01C5"),
    SLICE("\u01C4"),
    SLICE("seo"),
    SLICE("SEO"),
    SLICE("\u017Feo"),
    SLICE("kelvin"),
    SLICE("\u212Aelvin"),
    SLICE("\u0432\u043E\u0434\u0430"),
    SLICE("\u0412\u041E\u0414\u0410"),
    SLICE("\u1C80\u043E\u0434\u0430"),
    SLICE("\u0432\u1C82\u0434\u0430"),
    SLICE("\u1F40\u03B4\u03C5\u03C3\u03C3\u03B5\u03CD\u03C2"),
    SLICE("\u1F40\u03B4\u03C5\u03C3\u03C3\u03B5\u03CD\u03C3"),
    SLICE("stra\u00DFe"),
    SLICE("STRA\u1E9EE"),
    SLICE("stra\u017F\u017Fe"),
};
const size_t n_twin_anchors = sizeof twin_anchors / sizeof twin_anchors[0];

enum { WORDS_A_LANGUAGE = 16 };

static const char *const languages[][WORDS_A_LANGUAGE] = {
    { "seo", "tools", "best", "guide", "free", "link", "checker", "online", "review", "how to", "rank", "site", "buy",
      "cheap", "2024", "blog" },
    { "kaufen", "günstig", "größe", "für", "übersicht", "straße", "tests", "anleitung", "shop", "müller", "hier",
      "mehr", "erfahren", "jetzt", "preise", "köln" },
    { "été", "où", "français", "meilleur", "gratuit", "prix", "à", "propos", "cœur", "site", "voir", "plus", "noël",
      "garçon", "déjà", "vu" },
    { "купить", "сайт", "лучший", "бесплатно", "здесь", "отзывы", "цена", "статья", "ёлка", "продвижение", "ссылка",
      "блог", "новости", "москва", "читать", "далее" },
    { "無料", "比較", "東京", "サイト", "ランキング", "おすすめ", "詳細", "はこちら", "公式", "ブログ", "検索", "方法",
      "2024年", "最新", "ニュース", "記事" },
    { "mejor", "gratis", "aquí", "español", "niño", "más", "información", "comprar", "guía", "sitio", "web", "cómo",
      "qué", "año", "oferta", "ver" },
    { "en iyi", "ücretsiz", "ırmak", "istanbul", "çok", "şimdi", "güzel", "öğren", "fiyat", "satın", "al", "tıkla",
      "burada", "için", "değil", "araç" },
    { "موقع", "مجاني", "أفضل", "هنا", "اقرأ", "المزيد", "شراء", "سعر", "دليل", "مدونة", "رابط", "أخبار", "كيف", "الآن",
      "تحميل", "شرح" },
};

static const char *const first_words[] = { "daily", "super", "green", "city",   "tech",  "best",   "my",    "web",
                                           "blue",  "news",  "smart", "happy",  "north", "global", "alpha", "open",
                                           "quick", "red",   "solar", "pixel",  "urban", "wild",   "true",  "zen",
                                           "mega",  "prime", "rapid", "silver", "tiny",  "vivid",  "west",  "young" };
static const char *const second_words[] = { "tools",   "guide",  "review",  "garden", "market", "forum", "wiki",
                                            "press",   "shop",   "labs",    "media",  "portal", "times", "world",
                                            "kitchen", "travel", "games",   "health", "sports", "study", "design",
                                            "music",   "photos", "recipes", "cars",   "homes",  "books", "coffee",
                                            "pets",    "cloud",  "data",    "fashion" };
static const char *const suffixes[] = { "com", "com", "com", "org", "net", "de", "co.uk",
                                        "fr",  "ru",  "jp",  "edu", "gov", "io", "info" };

void words_phrase(struct buffer *to, uint64_t *dice)
{
    uint32_t language = dice_throw(dice, 12), count = 1 + dice_throw(dice, 4);
    language = language < 8 ? language : 0;
    for (uint32_t i = 0; i < count; i++) {
        if (i)
            buffer_put(to, ' ');
        buffer_str(to, languages[language][dice_throw(dice, WORDS_A_LANGUAGE)]);
    }
}

void words_plain(struct buffer *to, uint64_t *dice, unsigned count, char between)
{
    for (unsigned i = 0; i < count; i++) {
        if (i)
            buffer_put(to, between);
        buffer_str(to, i % 2 ? second_words[dice_throw(dice, 32)] : first_words[dice_throw(dice, 32)]);
    }
}

void words_domain(struct buffer *to, uint32_t number, uint64_t seed)
{
    uint64_t dice = dice_join(seed, number);
    buffer_str(to, first_words[number % 32]);
    if (dice_throw(&dice, 3) == 0)
        buffer_put(to, '-');
    buffer_str(to, second_words[number / 32 % 32]);
    if (number / 1024)
        buffer_u64(to, number / 1024);
    buffer_put(to, '.');
    buffer_str(to, suffixes[dice_throw(&dice, sizeof suffixes / sizeof suffixes[0])]);
}
