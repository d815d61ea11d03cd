{# f or m, from the usual words, forms of address and letters; NULL for anything else (d, x, unknown, digits).
   As long as its two lists of words. #}
{% macro normalize_gender(expression) -%}
    {% set female = [
        'f', 'w', 'ж', 'female', 'woman', 'girl', 'mrs', 'ms', 'miss', 'weiblich', 'frau', 'femme', 'féminin',
        'feminin', 'madame', 'mme', 'mademoiselle', 'mujer', 'femenino', 'femenina', 'señora', 'mulher', 'feminino',
        'feminina', 'senhora', 'donna', 'femmina', 'femminile', 'signora', 'vrouw', 'vrouwelijk', 'kobieta', 'kadın',
        'kadin', 'perempuan', 'wanita', 'женский', 'женщина', 'жен', '女', '女性', '여', '여성', '여자', 'महिला', 'स्त्री',
        'أنثى', 'kvinna', 'kvinde', 'kvinne'
    ] -%}
    {% set male = [
        'm', 'м', 'male', 'man', 'boy', 'mr', 'männlich', 'maennlich', 'mann', 'herr', 'homme', 'masculin', 'monsieur',
        'hombre', 'masculino', 'varón', 'señor', 'homem', 'senhor', 'uomo', 'maschio', 'maschile', 'signor',
        'mannelijk', 'mężczyzna', 'erkek', 'pria', 'lakilaki', 'мужской', 'мужчина', 'муж', '男', '男性', '남', '남성',
        '남자', 'पुरुष', 'ذكر', 'mand'
    ] -%}
    {% call bind_name('gender_word', name_key(expression)) -%}
        case
            when gender_word in ('{{ female | join("', '") }}') then 'f'
            when gender_word in ('{{ male | join("', '") }}') then 'm'
        end
    {%- endcall %}
{%- endmacro %}
