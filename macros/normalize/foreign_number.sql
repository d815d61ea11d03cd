{# The digits of an international number of another country than the known one, from + and digits. Zeros behind the
   calling code go, except where people's numbers begin with one (Italy and some of Africa). NULL for a calling code
   that nobody has. tests/unit/test_phone_corpus.py compares the codes with libphonenumber's. #}
{% macro foreign_number(international) -%}
    {% set assigned = '1|7|2[07]|3[0-469]|4[013-9]|5[1-8]|6[0-6]|8[1246]|9[0-58]|21[12368]|2[2346][0-9]|25[0-8]|29[01789]'
        ~ '|35[0-9]|37[0-8]|38[0-35-79]|42[013]|5[09][0-9]|67[02-9]|68[0-35-9]|69[0-2]|80[08]|85[02356]|87[08]'
        ~ '|88[0-368]|96[0-8]|97[0-79]|99[2-68]' -%}
    {% call bind_name('abroad', regexp_first(international, '^[+](' ~ assigned ~ ')')) -%}
        {% set rest = "substr(" ~ international ~ ", 2 + length(abroad))" -%}
        case
            when {{ impossible_in_america(international) }} then null
            when abroad in ('39', '225', '226', '229', '241', '242', '378', '992') or {{ international }} like '+25006%'
                then substr({{ international }}, 2)
            else abroad || trim(leading '0' from {{ rest }})
        end
    {%- endcall %}
{%- endmacro %}
