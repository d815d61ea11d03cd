{# Why the normal form of an identifier is not the raw value: a mapping of rules to SQL conditions, for the conformance
   report. raw_value, sent_value, field and plain_phone (what dialled_phone gives) are columns; a value may come under
   several rules. What is replaced by a code (a country's name, a word for a gender) or written anew (a date) comes
   under that rule alone. #}
{% macro identifier_changes() %}
    {% set blank = '[' ~ blank_characters() ~ ']' %}
    {% set lowered = "case when field in ('email', 'external_id', 'postal_code') then " ~ lower_text('raw_value')
        ~ " else " ~ lower_words('raw_value') ~ " end" %}
    {% set is_recoded = "(field in ('country', 'gender', 'region') and " ~ name_key('raw_value') ~ " <> sent_value)" %}
    {% set is_date = "field = 'date_of_birth'" %}
    {% set is_phone = "field = 'phone'" %}
    {% set is_text = "not " ~ is_recoded ~ " and field not in ('date_of_birth', 'phone')" %}
    {% set is_trimmed = "field in ('email', 'external_id')" %}
    {% set without_blanks = regexp_remove(lowered, blank ~ '+') %}
    {% set bare_code = regexp_remove(lower_text(ascii_digits('raw_value')), '[' ~ dropped_characters() ~ ']+') %}
    {{ return({
        'case': is_text ~ " and " ~ lowered ~ " <> raw_value",
        'blanks': "(" ~ is_phone ~ " or " ~ is_text ~ ") and " ~ regexp_matches('raw_value', blank) ~ " and (not "
            ~ is_trimmed ~ " or " ~ regexp_matches('raw_value', '^' ~ blank ~ '|' ~ blank ~ '$') ~ ")",
        'punctuation': "(" ~ is_text ~ " and not " ~ is_trimmed ~ " and "
            ~ regexp_matches(without_blanks, '[' ~ dropped_characters() ~ ']') ~ ") or (" ~ is_phone ~ " and "
            ~ regexp_matches(ascii_digits('raw_value'), '[^0-9+' ~ blank_characters() ~ ']') ~ ")",
        'digits': "field in ('phone', 'postal_code') and " ~ ascii_digits('raw_value') ~ " <> raw_value",
        'unicode': is_text ~ " and " ~ nfc('raw_value') ~ " <> raw_value",
        'code': is_recoded,
        'date': is_date,
        'cutting': "(field = 'postal_code' and " ~ bare_code ~ " <> sent_value) or (" ~ is_phone ~ " and right("
            ~ regexp_remove(ascii_digits('raw_value'), '[^0-9]+') ~ ", 6) <> right(sent_value, 6))",
        'plus': is_phone ~ " and plain_phone like '+%'",
        'country_code': is_phone ~ " and " ~ code_is_added(),
        'trunk_prefix': is_phone ~ " and length(plain_phone) + case when " ~ code_is_added()
            ~ " then length(calling_code) when plain_phone like '+%' then -1 else 0 end > length(sent_value)",
    }) }}
{% endmacro %}

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
