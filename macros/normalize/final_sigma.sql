{# A Greek sigma at the end of a word in the form that it has there (Σ or σ becomes ς), after Unicode's rule: a letter
   with case before it and none behind, where apostrophes, points, colons and marks in between do not count.
   sigma is the letter that the text has. Python, Java and browsers do this when they make lower case of capitals;
   warehouses differ, so we do it for all of them. #}
{% macro final_sigma(expression, sigma) -%}
    {% set cased = "A-Za-z\u00aa\u00b5\u00ba\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u024f\u0370-\u0373\u0376\u0377\u037b-\u037d\u037f\u0386\u0388-\u052f\u1e00-\u1fbc\u1fc2-\u1fcc\u1fd0-\u1fdb\u1fe0-\u1fec\u1ff2-\u1ffc" -%}
    {% set ignored = "'.:^`\u00a8\u00ad\u00af\u00b4\u00b7\u00b8\u02b0-\u036f\u0374\u0375\u0384\u0385\u0387\u0483-\u0489\u200b-\u200f\u2018\u2019\u2024\u2027\u202a-\u202e\u2060-\u206f\ufe52\ufeff\uff07\uff0e" -%}
    case when {{ expression }} like '%{{ sigma }}%' then {{ regexp_replace_between(
        expression, '[' ~ cased ~ '][' ~ ignored ~ ']*', sigma, '[' ~ ignored ~ ']*(?:$|[^' ~ cased ~ ignored ~ '])', 'ς'
    ) }} else {{ expression }} end
{%- endmacro %}
