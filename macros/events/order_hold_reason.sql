{# What the shop's records say against sending an order as a purchase; NULL when nothing. #}
{% macro order_hold_reason(orders, payments, payment_records, refunds) -%}
    case
        when {{ orders }}.is_cancelled or {{ orders }}.financial_status = 'voided' then 'order_cancelled'
        when {{ orders }}.financial_status = 'refunded' then 'order_refunded'
        when {{ refunds }}.refunded_amount >= {{ orders }}.total then 'order_refunded'
        when {{ orders }}.financial_status = 'pending' then 'payment_unconfirmed'
        when {{ var('require_payment') }} and {{ payment_records }}.exist and {{ payments }}.has_succeeded is not true
            then 'payment_unconfirmed'
    end
{%- endmacro %}
