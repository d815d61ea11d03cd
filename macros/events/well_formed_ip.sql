{# An IPv4 or IPv6 address in lower case; NULL when it is not well-formed. IPv6 may be shortened by one '::' and may
   end in an IPv4 address. #}
{% macro well_formed_ip(address) -%}
    {%- set octet = '(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])' -%}
    {%- set ipv4 = octet ~ '(?:[.]' ~ octet ~ '){3}' -%}
    {%- set group = '[0-9a-f]{1,4}' -%}
    {#- The last 32 bits: two groups, or an IPv4 address. -#}
    {%- set tail = '(?:' ~ group ~ ':' ~ group ~ '|' ~ ipv4 ~ ')' -%}
    {%- set forms = [ipv4, '(?:' ~ group ~ ':){6}' ~ tail, '::(?:' ~ group ~ ':){0,5}' ~ tail] -%}
    {%- for before in range(1, 6) -%}
        {%- do forms.append(group ~ '(?::' ~ group ~ '){' ~ (before - 1) ~ '}::(?:' ~ group ~ ':){0,' ~ (5 - before) ~ '}' ~ tail) -%}
    {%- endfor -%}
    {#- '::' before the last group or at the end. -#}
    {%- do forms.append('(?:' ~ group ~ '(?::' ~ group ~ '){0,5})?::' ~ group) -%}
    {%- do forms.append('(?:' ~ group ~ '(?::' ~ group ~ '){0,6})?::') -%}
    case when {{ regexp_matches('lower(' ~ address ~ ')', '^(?:' ~ forms | join('|') ~ ')$') }} then lower({{ address }}) end
{%- endmacro %}
