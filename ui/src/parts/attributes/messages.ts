import { define } from '../../text';

export const attributeParts = define(
  'attributeParts',
  {
    attributes: 'Attributes',
    attributesHint: 'The value is JSON: 12, true, "text", ["a", "b"].',
    attributeKey: 'Attribute',
    attributeValue: 'Value',
    addAttribute: 'Add an attribute',
    removeAttribute: 'Remove the attribute {{key}}',
    fault_noKey: 'The attribute needs a name.',
    fault_twice: 'This name is there already.',
    fault_notJson: 'Not JSON. Text stands in quotes: "text".',
    fault_notExact: 'Too large a number to be kept exactly. Write it as text, in quotes.',
    fault_nothing: 'null is no value: leave the attribute out instead.',
  },
  {
    attributes: 'Атрибуты',
    attributesHint: 'Значение пишется как JSON: 12, true, "текст", ["а", "б"].',
    attributeKey: 'Атрибут',
    attributeValue: 'Значение',
    addAttribute: 'Добавить атрибут',
    removeAttribute: 'Убрать атрибут {{key}}',
    fault_noKey: 'У атрибута нет названия.',
    fault_twice: 'Такое название уже есть.',
    fault_notJson: 'Это не JSON. Текст берётся в кавычки: "текст".',
    fault_notExact: 'Такое большое число исказится. Запишите его как текст, в кавычках.',
    fault_nothing: 'null не хранится: просто уберите атрибут.',
  },
);
