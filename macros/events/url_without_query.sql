{# A URL without its query and fragment, which can hold personal data; of one whose path may hold an e-mail address, the
   site alone. NULL for what is no URL (no scheme and host; blanks, quotes or angle brackets in it), and for one that
   names a user. #}
{% macro url_without_query(url) -%}
    {% set unfit = '"<>' ~ blank_characters() -%}
    {% set site = '[a-zA-Z][a-zA-Z0-9+.-]*://[^@/?#' ~ unfit ~ ']+' -%}
    case when {{ regexp_matches(url, '^' ~ site ~ '(?:/[^?#' ~ unfit ~ ']*)?(?:[?#]|$)') }}
        then case when {{ regexp_matches(url, '^[^?#]*(?:@|%40)') }}
            then {{ regexp_first(url, '^(' ~ site ~ ')') }}
            else {{ regexp_first(url, '^([^?#]+)') }} end end
{%- endmacro %}
