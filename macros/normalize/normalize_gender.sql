{# f or m, from the usual words, forms of address and letters; NULL for anything else (d, x, unknown, digits). As long
   as its two lists of words: English, Spanish, Portuguese, German, French, Italian, Dutch, Polish, Turkish,
   Indonesian, Russian, Arabic, Hindi, Japanese, Korean and Chinese, which take in the ten largest markets (United
   States, China, United Kingdom, Japan, Germany, South Korea, India, France, Brazil, Indonesia), and some of the
   Nordic languages, Czech, Malay, Thai and Vietnamese; with and without accents.
   M is male: a shop that writes H and M for hombre and mujer must write words, and sees its H among the invalid. #}
{% macro normalize_gender(expression) -%}
    {% set female = [
        'f', 'fem', 'female', 'feminine', 'woman', 'girl', 'lady', 'mrs', 'ms', 'miss',
        'mujer', 'femenino', 'femenina', 'hembra', 'niña', 'señora', 'señorita', 'senora', 'senorita', 'sra', 'srta',
        'mulher', 'feminino', 'feminina', 'fêmea', 'menina', 'senhora',
        'w', 'weiblich', 'frau', 'fräulein', 'mädchen', 'dame',
        'femme', 'féminin', 'féminine', 'feminin', 'fille', 'madame', 'mme', 'mademoiselle', 'mlle',
        'donna', 'femmina', 'femminile', 'ragazza', 'signora', 'signorina', 'sigra',
        'vrouw', 'vrouwelijk', 'meisje', 'mevrouw', 'mevr', 'kobieta', 'żeński', 'zenski', 'żeńska', 'pani',
        'kadın', 'kadin', 'kız', 'kiz', 'bayan', 'hanım', 'hanim', 'perempuan', 'wanita', 'nyonya', 'puan',
        'ж', 'жен', 'женский', 'женщина', 'أنثى', 'انثى', 'أنثي', 'امرأة', 'سيدة', 'महिला', 'स्त्री', 'औरत', 'श्रीमती',
        '女', '女性', '女子', '女士', '小姐', '여', '여성', '여자', 'kvinna', 'kvinnlig', 'kvinde', 'kvinne',
        'žena', 'ženský', 'หญิง', 'nữ'
    ] -%}
    {% set male = [
        'm', 'masc', 'male', 'masculine', 'man', 'boy', 'gentleman', 'mr',
        'hombre', 'masculino', 'varón', 'varon', 'niño', 'señor', 'senor', 'sr', 'homem', 'macho', 'menino', 'senhor',
        'männlich', 'maennlich', 'mann', 'herr', 'junge', 'homme', 'masculin', 'mâle', 'garçon', 'garcon', 'monsieur',
        'uomo', 'maschio', 'maschile', 'ragazzo', 'signor', 'signore',
        'mannelijk', 'jongen', 'meneer', 'heer', 'dhr', 'mężczyzna', 'mezczyzna', 'męski', 'meski', 'męska', 'pan',
        'erkek', 'bay', 'bey', 'pria', 'lakilaki', 'lelaki', 'tuan',
        'м', 'муж', 'мужской', 'мужчина', 'ذكر', 'رجل', 'سيد', 'पुरुष', 'आदमी', 'श्री',
        '男', '男性', '男子', '남', '남성', '남자', 'manlig', 'mand', 'herre', 'muž', 'mužský', 'ชาย', 'nam'
    ] -%}
    {% call bind_name('gender_word', name_key(expression)) -%}
        case
            when position('|' || gender_word || '|' in '|{{ female | join("|") }}|') > 0 then 'f'
            when position('|' || gender_word || '|' in '|{{ male | join("|") }}|') > 0 then 'm'
        end
    {%- endcall %}
{%- endmacro %}
