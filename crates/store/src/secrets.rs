use diesel::sql_types::Text;
use usecases::ports::{Secrets, StoreError};

use crate::{DieselUnit, statements::Statement};

impl Secrets for DieselUnit<'_> {
    fn find(&mut self, name: &str) -> Result<Option<String>, StoreError> {
        let statement = Statement::<Text>::new("SELECT value FROM secrets WHERE name = ?").text(name);
        Ok(self.rows(statement, |value: String| Ok(value))?.into_iter().next())
    }

    fn find_or_keep(&mut self, name: &str, fresh: &str) -> Result<String, StoreError> {
        // An update of nothing, so that the row is returned whoever kept it.
        let statement = Statement::<Text>::new(
            "INSERT INTO secrets (name, value) VALUES (?, ?) \
             ON CONFLICT (name) DO UPDATE SET value = secrets.value RETURNING value",
        );
        let kept = self.rows(statement.text(name).text(fresh), |value: String| Ok(value))?;
        Ok(kept.into_iter().next().unwrap_or_else(|| fresh.to_owned()))
    }

    fn replace(&mut self, name: &str, value: &str) -> Result<(), StoreError> {
        self.execute(Statement::new("UPDATE secrets SET value = ? WHERE name = ?").text(value).text(name)).map(drop)
    }
}
