import { define } from '../../text';

export const users = define(
  'users',
  {
    title: 'Users',
    about:
      'Everybody whom the service knows. A user appears by being created, imported, or added to a segment.',
    search: 'Beginning of the id, part of the name or e-mail',
    searchById: 'Beginning of the id',
    userId: 'User id',
    userIdHint: 'Up to 128 characters without spaces. Left empty, the service makes one.',
    name: 'Name',
    email: 'E-mail',
    attributes: 'Attributes',
    created: 'Created',
    new: 'New user',
    create: 'Create',
    wasCreated: 'User {{id}} was created',
    export: 'Export',
    import: 'Import',
    nothing: 'Nobody found',
    nothingAbout: 'No user fits “{{query}}”.',
    clear: 'Clear the search',
    empty: 'No users yet',
    emptyAbout:
      'Create one, import a file, or add somebody to a segment: the first add brings a user to life.',
    importTitle: 'Import users',
    importAbout:
      'A CSV file with user_id, and optionally name, email, attributes (a JSON object) and created_at; every other column becomes an attribute. Users who are there get what the file says; what it leaves out stays.',
  },
  {
    title: 'Пользователи',
    about:
      'Все, кого знает сервис. Пользователь появляется, когда его создают, импортируют или добавляют в сегмент.',
    search: 'Начало идентификатора, часть имени или почты',
    searchById: 'Начало идентификатора',
    userId: 'Идентификатор',
    userIdHint: 'До 128 символов без пробелов. Если не указать, сервис придумает сам.',
    name: 'Имя',
    email: 'Почта',
    attributes: 'Атрибуты',
    created: 'Создан',
    new: 'Новый пользователь',
    create: 'Создать',
    wasCreated: 'Пользователь {{id}} создан',
    export: 'Выгрузить',
    import: 'Импорт',
    nothing: 'Никого не нашлось',
    nothingAbout: 'По запросу «{{query}}» пользователей нет.',
    clear: 'Сбросить поиск',
    empty: 'Пользователей пока нет',
    emptyAbout:
      'Создайте пользователя, импортируйте файл или добавьте кого-нибудь в сегмент: при первом добавлении пользователь появится сам.',
    importTitle: 'Импорт пользователей',
    importAbout:
      'Файл CSV со столбцом user_id и, по желанию, name, email, attributes (объект JSON) и created_at; остальные столбцы становятся атрибутами. Существующие пользователи получат то, что указано в файле, прочее у них не изменится.',
  },
);
