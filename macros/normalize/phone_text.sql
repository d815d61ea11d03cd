{# A phone number as it was written, without its decoration: digits, after a + when it is international. Words before
   the number and everything from an extension on are cut off, and a trunk zero in brackets goes from international
   numbers, except from Italian ones, which keep their zero. NULL for what holds no number, for numbers that a
   spreadsheet has rounded (1.65E+10), and for the hexadecimal digits of an MD5 or UUID. #}
{% macro phone_text(expression) -%}
    {% call bind_name('phone_raw', ascii_digits(expression)) -%}
        {% set bracketed_zero = '[(][' ~ blank_characters() ~ ']*0[' ~ blank_characters() ~ ']*[)]' -%}
        {% set marked = regexp_replace_all(written_number('phone_raw'), bracketed_zero, 'z') -%}
        {% set bare = regexp_remove(marked, '[^0-9z+]+') -%}
        {% set with_plus = regexp_replace_all(bare, '^([+]*00+|[+][+]+)', '+') -%}
        {% call bind_name('phone_marked', regexp_replace_all(with_plus, '^[+]0', '0')) -%}
            replace(phone_marked, 'z', case
                when phone_marked like '+%' and phone_marked not like '+39%' then '' else '0'
            end)
        {%- endcall %}
    {%- endcall %}
{%- endmacro %}

{# The first number in a text: digits and what people write between them. A whole number followed by a fraction of zeros
   comes from a column of floats. A number must not be followed by an exponent. #}
{% macro written_number(text) -%}
    {% set blanks = blank_characters() -%}
    {% set between = blanks ~ "'()./_\u00b7\u2010-\u2015\u2212\u30fb\u30fc\uff08\uff09\uff0d-\uff0f-" -%}
    {% set whole = '^[' ~ blanks ~ ']*([+]?[0-9]{7,})[.]0+[' ~ blanks ~ ']*$' -%}
    {% set first = '^[^0-9+]*([+]*[' ~ between ~ ']*[0-9][0-9' ~ between ~ ']*)' -%}
    {% set no_exponent = '(?:$|[^0-9eE' ~ between ~ ']|[eE](?:$|[^0-9+]))' -%}
    {% set code = '^[0-9a-fA-F]{8}-?([0-9a-fA-F]{4}-?){3}[0-9a-fA-F]{12}$' -%}
    case when not ({{ regexp_matches(text, code) }})
        then coalesce({{ regexp_first(text, whole) }}, {{ regexp_first(text, first ~ no_exponent) }}) end
{%- endmacro %}
