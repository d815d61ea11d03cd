{# Passes when every value is NULL or a lower-case hexadecimal SHA-256, and none that of an empty text. #}
{% test is_sha256_hex(model, column_name) %}

select {{ column_name }}
from {{ model }}
where
    not {{ regexp_matches(column_name, '^[0-9a-f]{64}$') }}
    or {{ column_name }} = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'

{% endtest %}
