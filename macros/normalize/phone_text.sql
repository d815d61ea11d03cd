{# A phone number as it was written, without its decoration: digits, after a + when it is international. Words before
   the number and everything from an extension on are cut off, and a trunk zero in brackets goes from international
   numbers, except from Italian ones, which keep their zero. NULL for what holds no number, and for numbers that a
   spreadsheet has rounded (1.65E+10). #}
{% macro phone_text(expression) -%}
    {% set blanks = blank_characters() -%}
    {% set separators = blanks ~ "'()./_\u00b7\u2010-\u2015\u2212\u30fb\u30fc\uff08\uff09\uff0d-\uff0f-" -%}
    {% set whole = '^[' ~ blanks ~ ']*([+]?[0-9]{7,})[.]0+[' ~ blanks ~ ']*$' -%}
    {% set written = '^[^0-9+]*([+]*[' ~ separators ~ ']*[0-9][0-9' ~ separators ~ ']*)'
        ~ '(?:$|[^0-9eE' ~ separators ~ ']|[eE](?:$|[^0-9+]))' -%}
    {% call bind_name('phone_raw', ascii_digits(expression)) -%}
        {% set number = 'coalesce(' ~ regexp_first('phone_raw', whole) ~ ', ' ~ regexp_first('phone_raw', written) ~ ')' -%}
        {% set marked = regexp_remove(regexp_replace_all(number, '[(][' ~ blanks ~ ']*0[' ~ blanks ~ ']*[)]', 'z'), '[^0-9z+]+') -%}
        {% set international = regexp_replace_all(regexp_replace_all(marked, '^([+]*00+|[+][+]+)', '+'), '^[+]0', '0') -%}
        {% call bind_name('phone_marked', international) -%}
            replace(phone_marked, 'z', case when phone_marked like '+%' and phone_marked not like '+39%' then '' else '0' end)
        {%- endcall %}
    {%- endcall %}
{%- endmacro %}
