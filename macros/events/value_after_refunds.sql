{# A conversion's value, less what was refunded of its order where the variable subtract_refunds says so. A refund is
   tax and all, as the customer got it, and the value may be without: so the value shrinks by the refund's share of the
   order's total. It is rounded, so that a share that no binary number is exact for does not tip the cent. #}
{% macro value_after_refunds(value, total, refunded) -%}
    case
        when {{ switched_on('subtract_refunds') }} and {{ refunded }} > 0 and {{ refunded }} < {{ total }}
            and {{ total }} < 10000000000000 and abs({{ value }}) < 10000000000000
            then cast(round(
                cast({{ value }} as decimal(18, 4)) * cast({{ total }} - {{ refunded }} as decimal(18, 4))
                / cast({{ total }} as decimal(18, 4)),
                6
            ) as decimal(28, 10))
        else {{ value }}
    end
{%- endmacro %}
