DROP TABLE changes_notes;
DROP TABLE changes;
