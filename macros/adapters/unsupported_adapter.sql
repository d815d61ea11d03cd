{# Stops the compilation: this warehouse has no body for this macro. #}
{% macro unsupported_adapter(macro_name) -%}
    {{ exceptions.raise_compiler_error(
        "The macro '" ~ macro_name ~ "' has no body for the adapter '" ~ adapter.type()
        ~ "'. Write " ~ adapter.type() ~ "__" ~ macro_name ~ " in macros/adapters/" ~ macro_name ~ ".sql."
    ) }}
{%- endmacro %}
