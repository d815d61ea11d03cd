{# f or m, from the usual words and letters; NULL for anything else (d, x, unknown, digits). #}
{% macro normalize_gender(expression) -%}
    {% set female = ['f', 'w', 'female', 'woman', 'girl', 'mrs', 'ms', 'miss', 'weiblich', 'frau', 'femme', 'féminin',
        'feminin', 'mujer', 'femenino', 'femenina', 'mulher', 'feminino', 'feminina', 'donna', 'femmina', 'femminile',
        'vrouw', 'vrouwelijk', 'kobieta', 'kadın', 'perempuan', 'wanita', 'женский', 'женщина', 'жен', '女', '女性',
        '여', '여성', '여자', 'महिला', 'स्त्री', 'أنثى', 'kvinna', 'kvinde', 'kvinne'] -%}
    {% set male = ['m', 'male', 'man', 'boy', 'mr', 'männlich', 'maennlich', 'mann', 'herr', 'homme', 'masculin',
        'hombre', 'masculino', 'homem', 'varón', 'uomo', 'maschio', 'maschile', 'mannelijk', 'mężczyzna', 'erkek',
        'pria', 'lakilaki', 'мужской', 'мужчина', 'муж', '男', '男性', '남', '남성', '남자', 'पुरुष', 'ذكر', 'mand'] -%}
    {% call bind_name('gender_word', name_key(expression)) -%}
        case
            when gender_word in ('{{ female | join("', '") }}') then 'f'
            when gender_word in ('{{ male | join("', '") }}') then 'm'
        end
    {%- endcall %}
{%- endmacro %}
