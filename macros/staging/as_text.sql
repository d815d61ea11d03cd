{# A raw column as text, without blanks of any kind around it; an empty text is NULL. Casting first matters: nullif with
   '' fails on a column of decimals or timestamps. NUL goes, because many tools take it for the end of the text. #}
{% macro as_text(column) -%}
    nullif({{ trimmed('cast(' ~ column ~ ' as ' ~ dbt.type_string() ~ ')', blanks()) }}, '')
{%- endmacro %}

{# Every character that Unicode calls white space, and the zero-width ones that copying leaves behind. #}
{% macro blanks() -%}
    {{- "\t\n\x0b\x0c\r\x1c\x1d\x1e\x1f \x85\u00a0\u1680\u180e\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008" -}}
    {{- "\u2009\u200a\u200b\u200c\u200d\u2028\u2029\u202f\u205f\u2060\u3000\ufeff" -}}
{%- endmacro %}
