{# The date at the beginning of a text, without a time of day after it; NULL when it is written in none of the forms
   year-month-day, three parts with the year last, or eight digits. #}
{% macro birth_date_text(expression) -%}
    {% set blanks = blank_characters() -%}
    {% set gap = '[./,年月' ~ blanks ~ '-]+' -%}
    {% set part = '(?:[0-9]{1,2}(?:st|nd|rd|th)?|(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*)' -%}
    {% set year_first = '[0-9]{4}' ~ gap ~ part ~ gap ~ part -%}
    {% set year_last = part ~ gap ~ part ~ gap ~ '[0-9]{4}' -%}
    {% set time = '(?:[.]0?|日|z|(?:t|[,' ~ blanks ~ ']+)[0-9]{1,2}:.*)?' -%}
    {{ regexp_first(
        'lower(' ~ ascii_digits(expression) ~ ')',
        '^[' ~ blanks ~ ']*(' ~ year_first ~ '|' ~ year_last ~ '|[0-9]{8})' ~ time ~ '[' ~ blanks ~ ']*$'
    ) }}
{%- endmacro %}
