{# Why the normal form of an identifier is not the raw value: a mapping of rules to SQL conditions, for the conformance
   report. raw_value, sent_value, field, plain_phone (what dialled_phone gives) and, of a value that is changed as a text,
   lowered are columns; a value may come under several rules. What is replaced by a code (a country's name, a word for a
   gender) or written anew (a date) comes under that rule alone.
   Each is a CASE, because a warehouse may compute both sides of an AND for every row. #}
{% macro identifier_changes() %}
    {% set blank = '[' ~ blank_characters() ~ ']' %}
    {% set is_phone = "field = 'phone'" %}
    {% set is_trimmed = "field in ('email', 'external_id')" %}
    {% set without_blanks = regexp_remove('lowered', blank ~ '+') %}
    {% set bare_code = regexp_remove(lower_text(ascii_digits('raw_value')), '[' ~ dropped_characters() ~ ']+') %}
    {% set digits = regexp_remove(ascii_digits('raw_value'), '[^0-9]+') %}
    {{ return({
        'case': "lowered <> raw_value",
        'blanks': "case when lowered is not null and " ~ is_trimmed ~ " then " ~ regexp_matches('raw_value', '^' ~ blank ~ '|' ~ blank ~ '$')
            ~ " when lowered is not null or " ~ is_phone ~ " then " ~ regexp_matches('raw_value', blank) ~ " end",
        'punctuation': "case when " ~ is_phone ~ " then " ~ regexp_matches(ascii_digits('raw_value'), '[^0-9+' ~ blank_characters() ~ ']')
            ~ " when lowered is not null and not " ~ is_trimmed ~ " then "
            ~ regexp_matches(without_blanks, '[' ~ dropped_characters() ~ ']') ~ " end",
        'digits': "case when field in ('phone', 'postal_code') then " ~ ascii_digits('raw_value') ~ " <> raw_value end",
        'unicode': "case when lowered is not null then " ~ nfc('raw_value') ~ " <> raw_value end",
        'code': "field in ('country', 'gender', 'region') and lowered is null",
        'date': "field = 'date_of_birth'",
        'cutting': "case when field = 'postal_code' then " ~ bare_code ~ " <> sent_value when " ~ is_phone
            ~ " then right(" ~ digits ~ ", 6) <> right(sent_value, 6) end",
        'plus': "case when " ~ is_phone ~ " then plain_phone like '+%' end",
        'country_code': "case when " ~ is_phone ~ " then " ~ code_is_added() ~ " end",
        'trunk_prefix': "case when " ~ is_phone ~ " then length(plain_phone) + case when " ~ code_is_added()
            ~ " then length(calling_code) when plain_phone like '+%' then -1 else 0 end > length(sent_value) end",
    }) }}
{% endmacro %}

{# The raw value in lower case, of one that is changed as a text; NULL of a number, a date, and of what a code replaces. #}
{% macro lowered_identifier() -%}
    case
            when field in ('date_of_birth', 'phone') then null
            when field in ('email', 'external_id', 'postal_code') then {{ lower_text('raw_value') }}
            when field in ('country', 'gender', 'region') and {{ name_key('raw_value') }} <> sent_value then null
            else {{ lower_words('raw_value') }}
        end
{%- endmacro %}

{# Whether a number was written without its country's calling code. #}
{% macro code_is_added() -%}
    plain_phone not like '+%' and not (
        plain_phone like calling_code || '%' and length(plain_phone) >= length(sent_value)
    )
{%- endmacro %}

{# A phone number as digits, behind a + when it was written with its calling code. #}
{% macro dialled_phone(expression) -%}
    {% call bind_name('written_phone', phone_text(expression)) -%}
        {{ dialled_number('written_phone', 'calling_code', 'international_prefix', 'shapes') }}
    {%- endcall %}
{%- endmacro %}
